// How many people a new campaign asks about each item, checked: what could not be, or would do nothing, is refused by its field.
import { HttpError } from '#errors'
import type { CampaignFacts, ItemOrder } from '#store'
import type { BodyOf } from './contract.ts'

type Asked = BodyOf<'POST /api/projects/{project}/campaigns'>

export function mustBeAskable(asked: Asked): void {
  const { overlap, overlapShare, adaptive, isCalibration, skipPolicy } = asked
  if (adaptive && adaptive.cap <= overlap)
    throw new HttpError(
      422,
      `adaptive.cap: expected more than the ${overlap} that every pair gets, got ${adaptive.cap}`,
    )
  if (adaptive && isCalibration) throw new HttpError(422, 'adaptive: in a calibration round everybody is asked already')
  if (isCalibration && skipPolicy === 'drop')
    throw new HttpError(422, 'skipPolicy: in a calibration round everybody is asked; expected to-others or back-to-me')
  const limit = (['mostEach', 'mostShare', 'isManual'] as const).find((name) => Boolean(asked[name]))
  if (limit && isCalibration)
    throw new HttpError(422, `${limit}: in a calibration round everybody is asked about every pair`)
  if (overlapShare === 1) return
  if (isCalibration)
    throw new HttpError(422, 'overlapShare: in a calibration round everybody is asked about every pair')
  if (overlap === 1)
    throw new HttpError(422, 'overlapShare: would be ignored with an overlap of 1; ask for 2 or more, or leave it out')
  if (adaptive)
    throw new HttpError(
      422,
      'overlapShare: adaptive overlap chooses the pairs that get more by their answers; set one of the two',
    )
}

/** A limit under which nobody could give anything is refused. */
export function mustBeReachable({ mostShare }: { mostShare: number | null }, wanted: number): void {
  if (mostShare !== null && Math.floor(mostShare * wanted + 1e-9) === 0)
    throw new HttpError(422, `mostShare: of ${wanted} judgements that is not one; nobody could give any`)
}

/** An order that would change nothing, or that cannot be told of these items, is refused. */
export function mustBeOrderable(
  order: ItemOrder,
  { kind, overlap, adaptive }: Pick<CampaignFacts, 'kind' | 'overlap' | 'adaptive'>,
  { priorities }: { priorities: number },
): void {
  if (order === 'uncertainty' && kind !== 'pairs')
    throw new HttpError(422, `order: only of pairs it is known how certain they are, this campaign asks for ${kind}`)
  if (order === 'begun' && overlap === 1 && !adaptive)
    throw new HttpError(422, 'order: with one answer each, what is begun is done; choose another order')
  if (order === 'priority' && priorities === 0)
    throw new HttpError(422, 'order: no row of the dataset brings a priority, a number; choose another order')
}

export function mustBeAhead(deadline: string | undefined): void {
  if (deadline !== undefined && isOver(deadline))
    throw new HttpError(422, `deadline: expected a time to come, got ${deadline}`)
}

export const isOver = (deadline: string): boolean => Date.parse(deadline) <= Date.now()
