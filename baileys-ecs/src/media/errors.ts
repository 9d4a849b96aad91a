/**
 * Why a file was not fetched, in words for a person.
 *
 * `never`: no attempt will bring it. `gone`: only its sender's or the owner's phone can upload it again. `again`: it may come yet.
 */
export class MediaError extends Error {
  override readonly name = 'MediaError'
  constructor(readonly kind: 'never' | 'gone' | 'again', readonly reason: string, options?: ErrorOptions) {
    super(reason, options)
  }
}
