/**
 * Silences `console` in this process. libsignal prints whole session objects, private keys included, through
 * `console.info` and `console.warn`; nothing of the simulator writes there.
 */
export function silenceConsole(): void {
  const silent = (): void => undefined
  console.log = console.info = console.warn = console.error = silent
}
