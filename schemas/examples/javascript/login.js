// Walks through a user's life: register, log in, refresh, a wrong password, log out.
import { randomUUID } from 'node:crypto'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { Bus, Rejected } from './bus.js'

const {
  KAFKA_BOOTSTRAP_SERVERS: servers = 'localhost:9092',
  AUTHBUS_NAMESPACE: namespace = 'auth',
  AUTHBUS_HTTP: http = 'http://localhost:8080',
  AUTHBUS_TRUST: trust,
} = process.env
const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', http))
const wanted = { issuer: `authbus/${namespace}`, audience: 'web', typ: 'at+jwt', clockTolerance: 5 }
const verify = (token) => jwtVerify(token, keys, { ...wanted, algorithms: ['EdDSA'] })
const holder = ({ session_id, refresh_token }) => ({ session_id, refresh_token })

const auth = new Bus({ servers, namespace, client: 'web', trust })
await auth.open()

const email = `${randomUUID().slice(0, 8)}@example.com`
const known = { email, password: 'correct horse battery' }
const user = await auth.ask('RegisterUser', 'credentials', known)
console.log('registered', user.user_id)

const session = await auth.ask('LogIn', 'credentials', known)
const { payload: claims } = await verify(session.access_token)
console.log('logged in', claims.sub, 'until', new Date(claims.exp * 1000).toISOString())

const later = await auth.ask('RefreshSession', 'sessions', holder(session), session.session_id)
console.log('refreshed', (await verify(later.access_token)).payload.sub)

try {
  await auth.ask('LogIn', 'credentials', { email, password: 'not this one' })
  throw new Error('a wrong password was taken')
} catch (refused) {
  if (!(refused instanceof Rejected)) throw refused
  console.log('refused', refused.code)
}

const over = await auth.ask('LogOut', 'sessions', holder(later), later.session_id)
console.log('logged out', over.session_id)
await auth.close()
