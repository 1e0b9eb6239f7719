// A downstream module: hears the committed events, from the first one on.
import { Kafka as Binding } from 'cloudevents'
import { Kafka, logLevel } from 'kafkajs'

const {
  KAFKA_BOOTSTRAP_SERVERS: servers = 'localhost:9092',
  AUTHBUS_NAMESPACE: namespace = 'auth',
  GROUP: groupId = 'billing',
} = process.env
const kafka = new Kafka({ brokers: servers.split(','), logLevel: logLevel.ERROR })
const consumer = kafka.consumer({ groupId, readUncommitted: false })
await consumer.connect()
await consumer.subscribe({ topics: [`${namespace}.events.v1`], fromBeginning: true })

// Offsets are committed after this returns: an event may come again, its `sequence` tells.
await consumer.run({
  eachMessage: async ({ message: { key, value, headers } }) => {
    const texts = Object.entries(headers).map(([name, text]) => [name, text.toString()])
    const record = { key: key.toString(), value, headers: Object.fromEntries(texts) }
    const { type, data } = Binding.toEvent(record)
    console.log(type, data.user_id, data.sequence)
  },
})
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => consumer.disconnect())
