from kesher.cli import app

app()
