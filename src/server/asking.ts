// How many people a new campaign asks about each item, checked: what could not be, or would do nothing, is refused by its field.
import { HttpError } from '#errors'
import type { BodyOf } from './contract.ts'

type Asked = BodyOf<'POST /api/projects/{project}/campaigns'>

export function mustBeAskable({ overlap, overlapShare, adaptive, isCalibration, skipPolicy }: Asked): void {
  if (adaptive && adaptive.cap <= overlap)
    throw new HttpError(
      422,
      `adaptive.cap: expected more than the ${overlap} that every pair gets, got ${adaptive.cap}`,
    )
  if (adaptive && isCalibration) throw new HttpError(422, 'adaptive: in a calibration round everybody is asked already')
  if (isCalibration && skipPolicy === 'drop')
    throw new HttpError(422, 'skipPolicy: in a calibration round everybody is asked; expected to-others or back-to-me')
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
