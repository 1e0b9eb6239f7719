import { setTimeout as wait } from 'node:timers/promises'

/** What is promised; throws when it takes longer than so many seconds. */
export async function within(seconds, what, promise) {
  const late = wait(seconds * 1000, undefined, { ref: false }).then(() => {
    throw new Error(`no ${what} within ${seconds} s`)
  })
  return Promise.race([promise, late])
}
