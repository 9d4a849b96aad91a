/** A wish that the simulator cannot fulfil; `status` is the HTTP status the control API answers with. */
export class SimulatorError extends Error {
  override readonly name: string = 'SimulatorError'
  readonly status: number = 400
}

/** Nobody has this phone number, or nobody's message has this id. */
export class NotFoundError extends SimulatorError {
  override readonly name = 'NotFoundError'
  override readonly status = 404
}

/** The wish is understood but does not fit the present state (no linked device, the phone number is taken, ...). */
export class ConflictError extends SimulatorError {
  override readonly name = 'ConflictError'
  override readonly status = 409
}
