// Deliveries beside the requests: what is due is claimed, sent, and settled or put off, longer each time. An attempt counts
// before it is made, so a server that dies in it leaves a delivery that is sent again: at least once, never lost.
import { createHmac, randomInt } from 'node:crypto'
import type { ClaimedDelivery, Store } from '#store'
import { claimDelivery, forgetDeliveries, isBusy, isDown, settleDelivery } from '#store'
import { resolveByDns, type Resolve } from './addresses.ts'
import { attempt } from './send.ts'
import { webhookKey } from './key.ts'

export type Sending = {
  /** Something may be due now. */
  wake(): void
  close(): Promise<void>
}

const LOOK_MILLISECONDS = 1000
/** Longer than an attempt takes. */
const LEASE_SECONDS = 30
const MOST_AT_ONCE = 8
/** After the first attempt, the second and so on: eight hours in all, and no more after that. */
const WAITS_SECONDS = [5, 30, 120, 600, 1800, 3600, 7200, 14_400]
const KEPT_DAYS = 30
const FORGET_MILLISECONDS = 3_600_000

/** Seconds until the next attempt, up to a fifth more by chance, so that what failed together does not come back together. */
export function waitAfter(attempts: number): number | undefined {
  const wait = WAITS_SECONDS[attempts - 1]
  return wait === undefined ? undefined : wait * (1 + randomInt(200) / 1000)
}

/** What a receiver checks signatures by: from the workspace's key, so that the database holds no secret. */
export function secretOf(workspace: string, webhook: string): Buffer {
  return createHmac('sha256', webhookKey(workspace)).update(webhook).digest()
}

/** As sent. Ids, counts and states: no name of a person and no word of theirs. */
export function bodyOf({ event, at, project, subject, detail }: ClaimedDelivery): string {
  return JSON.stringify({ type: event, timestamp: at, data: { project, subject, ...detail } })
}

export function openSending(o: {
  store: Store
  workspace: string
  version: string
  /** Hosts that may be reached though they are not public. */
  allowed: readonly string[]
  resolve?: Resolve
  onDefect: (error: unknown) => void
}): Sending {
  const { store, workspace, version, allowed, resolve = resolveByDns, onDefect } = o
  const ending = new AbortController()
  const open = new Map<string, Promise<void>>()
  let looking: Promise<void> | undefined
  let isWanted = false
  let forgottenAt = 0

  async function look(): Promise<void> {
    while (!ending.signal.aborted && open.size < MOST_AT_ONCE) {
      const claimed = await claimDelivery(store.query, { except: [...open.keys()], leaseSeconds: LEASE_SECONDS })
      if (!claimed) break
      const sent = send(claimed)
        .catch(tell)
        .finally(() => {
          open.delete(claimed.webhook)
          wake()
        })
      open.set(claimed.webhook, sent)
    }
    if (Date.now() - forgottenAt < FORGET_MILLISECONDS) return
    forgottenAt = Date.now()
    await forgetDeliveries(store.query, KEPT_DAYS)
  }

  async function send(claimed: ClaimedDelivery): Promise<void> {
    const { id, url, webhook, attempts } = claimed
    const message = { id, url, secret: secretOf(workspace, webhook), body: bodyOf(claimed) }
    const made = await attempt(message, { allowed, resolve, version, signal: ending.signal })
    // Nobody knows whether it arrived: it is sent again after the lease.
    if (ending.signal.aborted && !made.isTaken) return
    await settleDelivery(store.query, claimed, {
      ...made,
      againSeconds: made.isTaken ? undefined : waitAfter(attempts),
    })
  }

  function wake(): void {
    if (looking) {
      isWanted = true
      return
    }
    looking = look()
      .catch(tell)
      .finally(() => {
        looking = undefined
        if (isWanted && !ending.signal.aborted) {
          isWanted = false
          wake()
        }
      })
  }

  /** A database that is away for a moment is asked again at the next look. */
  function tell(error: unknown): void {
    if (!isDown(error) && !isBusy(error)) onDefect(error)
  }

  const timer = setInterval(wake, LOOK_MILLISECONDS)
  timer.unref()
  return {
    wake,
    async close() {
      clearInterval(timer)
      ending.abort()
      await looking
      await Promise.all(open.values())
    },
  }
}
