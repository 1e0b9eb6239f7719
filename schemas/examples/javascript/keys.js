// The keys that commands are sealed to, as far as the service's root key has signed them.
import { setTimeout as wait } from 'node:timers/promises'
import { EmbeddedJWK, calculateJwkThumbprint, compactVerify, decodeProtectedHeader } from 'jose'

const SECONDS = 10

export class Keys {
  #trust
  #known = new Map()

  /** Whether their topic has been read to its end: until then a later record may end a key. */
  complete = false

  /** @param trust the thumbprint that the service prints; none on one's own machine */
  constructor(trust) {
    this.#trust = trust
  }

  /** Takes one record of the topic of keys. What counts is what the root key signed. */
  async learn({ key: kid, value }) {
    if (value === null) return this.#known.delete(kid.toString())
    // What is signed by nobody is passed over: kafkajs would read it again, and nothing behind it.
    const key = await this.#signed(value).catch(() => undefined)
    if (key?.use === 'enc') this.#known.set(key.kid, key)
  }

  async #signed(value) {
    const { signature } = JSON.parse(value.toString())
    const root = decodeProtectedHeader(signature).jwk
    if (this.#trust && (await calculateJwkThumbprint(root)) !== this.#trust) return undefined
    const { payload } = await compactVerify(signature, EmbeddedJWK, { algorithms: ['EdDSA'] })
    return JSON.parse(new TextDecoder().decode(payload))
  }

  /** The kid and the public JWK to seal for now; waits for one, and throws when none comes. */
  async sealing() {
    for (const late = Date.now() + SECONDS * 1000; Date.now() < late; await wait(50)) {
      const newest = this.#newest(new Date())
      if (this.complete && newest) return newest
    }
    throw new Error(`no key under this trust within ${SECONDS} s`)
  }

  /** A key is announced before it serves and retires at an hour set before: the clock decides. */
  #newest(now) {
    return [...this.#known.values()]
      .filter((key) => new Date(key.not_before) <= now)
      .filter((key) => !key.retired_at || now < new Date(key.retired_at))
      .sort((one, other) => new Date(other.not_before) - new Date(one.not_before))[0]
  }
}
