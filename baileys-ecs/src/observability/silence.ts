/**
 * Takes `console` away. libsignal prints session objects, private keys included, through console.info and console.warn
 * (whatsapp-rust-bridge and others print too); no log level can stop that. Our own lines go through pino.
 *
 * Imported before everything else: importing is the effect.
 */
const silent = (): void => undefined

for (const method of ['log', 'info', 'warn', 'error', 'debug', 'trace', 'dir', 'dirxml', 'table'] as const) {
  console[method] = silent
}
