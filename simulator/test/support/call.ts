import type { ControlApi } from '../../src/index.js'

export interface Answer {
  readonly status: number
  /** Empty when there is none. */
  readonly body: Record<string, unknown>
}

/** One request to the control API. */
export async function call({ url }: ControlApi, method: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(url + path, {
    method, ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> }
}
