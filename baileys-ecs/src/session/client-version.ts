import { DEFAULT_CONNECTION_CONFIG, type WAVersion } from '@whiskeysockets/baileys'
import type { Logger } from '../observability/logger.js'
import type { LiveSettings } from '../store/live-settings.js'

/** The client version that this Baileys came with. */
export const BUILT_IN: WAVersion = DEFAULT_CONNECTION_CONFIG.version

/**
 * The version to log in with: the one asked for, if it is newer. An older one would only bring the day nearer on which
 * WhatsApp no longer takes it (405), so a forgotten setting does no harm after an update.
 *
 * @param asked for example `2.3000.1043857760`
 * @returns `undefined` if `asked` is not a version
 */
export function raised(asked: string, builtIn: WAVersion = BUILT_IN): WAVersion | undefined {
  const match = /^(\d{1,9})\.(\d{1,9})\.(\d{1,12})$/.exec(asked)
  if (match === null) return undefined
  const version: WAVersion = [Number(match[1]), Number(match[2]), Number(match[3])]
  const difference = version.map((part, i) => part - (builtIn[i] ?? 0)).find(part => part !== 0) ?? 0
  return difference > 0 ? version : builtIn
}

/** The version to log in with now; read afresh each time, so that it changes without a deployment. */
export async function versionToLogInWith(live: LiveSettings, logger: Logger): Promise<WAVersion> {
  const asked = await live.clientVersion()
  const version = asked === undefined ? BUILT_IN : raised(asked)
  if (version === undefined) logger.error({ asked }, 'the setting CLIENT_VERSION is no version, for example 2.3000.1043857760; it is ignored')
  if (version !== undefined && version !== BUILT_IN) logger.info({ version: version.join('.') }, 'logging in with a raised client version')
  return version ?? BUILT_IN
}
