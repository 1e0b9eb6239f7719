// Registers whom each line of its input names, for as long as there are any.
import { createInterface } from 'node:readline'
import { Bus } from './bus.js'

const { KAFKA_BOOTSTRAP_SERVERS: servers, AUTHBUS_NAMESPACE: namespace } = process.env
const auth = new Bus({ servers, namespace, client: 'web', trust: process.env.AUTHBUS_TRUST })
await auth.open()
for await (const email of createInterface({ input: process.stdin })) {
  const known = { email, password: 'correct horse battery' }
  const user = await auth.ask('RegisterUser', 'credentials', known)
  console.log('registered', user.user_id)
}
await auth.close()
