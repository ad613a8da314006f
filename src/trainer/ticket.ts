// The ticket of a reward model: without one it enters RL only where the job says so, and that stays in the run's config.
import { ConfigError } from '#errors'
import { HOW_TO_GET_A_TICKET, ticketRefusal } from '#evaluate'
import type { Job } from './jobs.ts'
import { readCard } from './models.ts'

/** Why the reward model in this folder may not enter RL; undefined where it has its ticket. */
export function ticketRefusalOf(folder: string): string | undefined {
  return ticketRefusal(readCard(folder)?.reward?.accuracy)
}

/** Throws where a ticket is missing, and where going without one was asked for in vain. */
export function requireTicket(job: Job): void {
  if (job.recipe !== 'ppo') return
  const { reward, withoutTicket = false } = job
  if (reward === undefined) {
    if (withoutTicket) throw new ConfigError('--without-ticket would be ignored without --reward')
    return
  }
  const refusal = ticketRefusalOf(reward)
  if (refusal === undefined && withoutTicket)
    throw new ConfigError(`--without-ticket would be ignored: ${reward} has its ticket; leave it out`)
  if (refusal !== undefined && !withoutTicket)
    throw new ConfigError(
      `--reward: ${reward} ${refusal}; ${HOW_TO_GET_A_TICKET} (hone train reward --held-out FILE), or give --without-ticket, which the run records`,
    )
}
