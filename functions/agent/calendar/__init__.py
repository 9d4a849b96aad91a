"""Appointments: free times, booking, moving and cancelling, and what reminds of them."""
