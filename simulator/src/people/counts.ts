/** Messages between the server and a business' linked devices. */
export interface Counts {
  /** Given to a device for the first time. */
  delivered: number
  /** Given again after a reconnect, because no receipt had come. */
  redelivered: number
  /** Receipted by the device. */
  acknowledged: number
  /** Refused by the device (an ack with an error): never given again. */
  refused: number
  /** Sent by linked devices and accepted by the server, every copy of an id counted. */
  sent: number
}

export const noCounts = (): Counts => ({ delivered: 0, redelivered: 0, acknowledged: 0, refused: 0, sent: 0 })
