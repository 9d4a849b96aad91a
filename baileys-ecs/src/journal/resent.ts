import { proto, type WAMessage } from '@whiskeysockets/baileys'

/**
 * Messages that the owner's phone passes on because this device got them without content (advertisements, and whatever
 * WhatsApp did not encrypt for it). They come inside an answer between our own devices and never pass `decryptMessage`.
 *
 * @param message the encoded `proto.Message` of that answer
 */
export function resentMessages(message: Uint8Array): WAMessage[] {
  const results = proto.Message.decode(message).protocolMessage?.peerDataOperationRequestResponseMessage?.peerDataOperationResult ?? []
  return results.flatMap(({ placeholderMessageResendResponse: resent }) => {
    if (!resent?.webMessageInfoBytes) return []
    const found = proto.WebMessageInfo.decode(resent.webMessageInfoBytes)
    return found.message && found.key?.id ? [found as WAMessage] : []
  })
}
