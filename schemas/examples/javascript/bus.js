// Sends sealed commands to authbus and waits for their answers.
import { randomBytes, randomUUID } from 'node:crypto'
import { CompactEncrypt, compactDecrypt, exportJWK, generateKeyPair, importJWK } from 'jose'
import { Kafka, Partitioners, logLevel } from 'kafkajs'
import { Keys } from './keys.js'
import { within } from './within.js'

export class Rejected extends Error {
  constructor({ code, detail, retryable }) {
    super(`${code}: ${detail}`)
    Object.assign(this, { code, retryable })
  }
}

export class Bus {
  #waiting = new Map()

  /** One declared client; trust is the thumbprint that the service prints. */
  constructor({ servers, namespace, client, trust }) {
    const kafka = new Kafka({ brokers: servers.split(','), logLevel: logLevel.ERROR })
    this.producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    // A group of this process alone: another one's answers are not for us to take.
    this.consumer = kafka.consumer({ groupId: `${namespace}.replies.${client}.${randomUUID()}` })
    this.admin = kafka.admin()
    this.keys = new Keys(trust)
    this.replies = `${namespace}.replies.${client}`
    Object.assign(this, { namespace, client })
  }

  async open() {
    const keys = `${this.namespace}.state.keys.v1`
    await Promise.all([this.producer.connect(), this.consumer.connect(), this.admin.connect()])
    const [end] = await this.admin.fetchTopicOffsets(this.replies)
    this.consumer.on(this.consumer.events.END_BATCH_PROCESS, ({ payload: { topic, offsetLag } }) => {
      if (topic === keys && offsetLag === '0') this.keys.complete = true
    })
    await this.consumer.subscribe({ topics: [keys, this.replies], fromBeginning: true })
    await this.consumer.run({
      autoCommit: false,
      eachMessage: ({ topic, message }) =>
        topic === keys ? this.keys.learn(message) : this.#answered(message),
    })
    this.consumer.seek({ topic: this.replies, partition: 0, offset: end.high })
  }

  async close() {
    await Promise.all([this.producer, this.consumer, this.admin].map((each) => each.disconnect()))
  }

  /**
   * What a command is answered, for example LogIn to credentials. Throws Rejected, or an Error
   * when nothing is answered in time. Commands with the same key are handled in turn; it stands in the clear, so it is an id, no address.
   */
  async ask(kind, topic, data, key = null) {
    const serving = await this.keys.sealing()
    const once = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
    // To try again after a time-out, send the same record: it has its effect once.
    const id = uuid7()
    const sent = {
      specversion: '1.0',
      id,
      type: `authbus.${kind}.v1`,
      source: `/clients/${this.client}`,
      time: new Date().toISOString(),
      expirytime: new Date(Date.now() + 30_000).toISOString(),
      reply_to: this.replies,
      correlation_id: id,
    }
    const payload = { ...sent, data, reply_key: await exportJWK(once.publicKey) }
    const value = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(payload)))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid: serving.kid })
      .encrypt(await importJWK(serving.jwk, 'ECDH-ES'))
    const named = Object.entries(sent).map(([n, text]) => [n.includes('_') ? n : `ce_${n}`, text])
    const headers = { 'content-type': 'application/jose', ...Object.fromEntries(named) }
    const answer = new Promise((resolve) => this.#waiting.set(id, resolve))
    const messages = [{ key, value, headers }]
    await this.producer.send({ topic: `${this.namespace}.commands.${topic}.v1`, messages })
    try {
      return await read(await within(30, 'answer', answer), once.privateKey)
    } finally {
      this.#waiting.delete(id)
    }
  }

  #answered(message) {
    this.#waiting.get(message.headers.correlation_id?.toString())?.(message)
  }
}

/** Only a refusal comes in the clear: anybody could have made another answer that does. */
async function read({ headers, value }, key) {
  const refused = headers.ce_type.toString() === 'authbus.Rejected.v1'
  const text = refused ? value : (await compactDecrypt(value, key)).plaintext
  const answer = JSON.parse(new TextDecoder().decode(text))
  if (refused) throw new Rejected(answer)
  return answer
}

/** The milliseconds in front and chance behind; newer versions of Node have one. */
function uuid7() {
  const chance = randomBytes(9).toString('hex')
  const hex = Date.now().toString(16).padStart(12, '0') + `7${chance.slice(0, 3)}8${chance.slice(3)}`
  return hex.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
