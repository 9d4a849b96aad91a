import { isLidUser, jidDecode, jidEncode, jidNormalizedUser, type WASocket } from '@whiskeysockets/baileys'

/** A person's other name, phone or LID, if it was ever learnt. Asks nobody: a lookup at WhatsApp would cost a round trip. */
export async function otherNameOf({ authState, signalRepository }: Pick<WASocket, 'authState' | 'signalRepository'>, jid: string): Promise<string | undefined> {
  if (isLidUser(jid)) {
    const phone = await signalRepository.lidMapping.getPNForLID(jid)
    return phone === null ? undefined : jidNormalizedUser(phone)
  }
  const user = jidDecode(jid)?.user ?? ''
  const { [user]: lid } = await authState.keys.get('lid-mapping', [user]) // `getLIDForPN` would ask
  return lid === undefined ? undefined : jidEncode(lid, 'lid')
}
