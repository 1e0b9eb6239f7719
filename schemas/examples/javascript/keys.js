// The key to seal for: the newest that serves and that the service's root key has signed.
import { within } from './within.js'
import { EmbeddedJWK, calculateJwkThumbprint, compactVerify, decodeProtectedHeader } from 'jose'

export class Keys {
  #trust
  #newest

  /** @param trust the thumbprint that the service prints; none on one's own machine */
  constructor(trust) {
    this.#trust = trust
    this.ready = new Promise((resolve) => (this.resolve = resolve))
  }

  /** Takes one record of the topic of keys. What counts is what the root key signed. */
  async learn(record) {
    if (record === null) return
    const { signature } = JSON.parse(record.toString())
    const root = decodeProtectedHeader(signature).jwk
    if (this.#trust && (await calculateJwkThumbprint(root)) !== this.#trust) return
    const { payload } = await compactVerify(signature, EmbeddedJWK, { algorithms: ['EdDSA'] })
    const key = JSON.parse(new TextDecoder().decode(payload))
    if (key.use !== 'enc' || key.retired_at || new Date(key.not_before) > new Date()) return
    if (this.#newest && new Date(key.not_before) < new Date(this.#newest.not_before)) return
    this.#newest = key
    this.resolve()
  }

  /** The kid and the public JWK to seal for; waits for one, and throws when none comes. */
  async sealing() {
    await within(10, 'key under this trust', this.ready)
    return this.#newest
  }
}
