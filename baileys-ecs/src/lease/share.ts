/** Which container holds how many numbers: pure, so that every container comes to the same answer from the same rows. */

/**
 * How many sessions a container may hold: `sessions` poured evenly over the containers, none above its capacity.
 *
 * The shares of all containers add up to `sessions` at least (as far as there is room), so nothing stays unclaimed, and
 * a container at its share never takes another one, so nothing moves to and fro.
 *
 * @param mine capacity of the container that asks; 0 for one that is leaving
 * @param others capacities of the other containers that take sessions
 */
export function shareOf(mine: number, others: readonly number[], sessions: number): number {
  const capacities = [mine, ...others]
  const room = (level: number): number => capacities.reduce((sum, capacity) => sum + Math.min(capacity, level), 0)
  let level = 0
  let most = Math.max(...capacities)
  if (room(most) <= sessions) return mine
  while (most - level > 1) { // the lowest level that has room for all
    const middle = Math.floor((level + most) / 2)
    if (room(middle) >= sessions) most = middle
    else level = middle
  }
  return Math.min(mine, room(level) >= sessions ? level : most)
}
