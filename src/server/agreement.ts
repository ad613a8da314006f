// Agreement as browsers are told it. JSON has no NaN: a coefficient of answers that never vary is not defined, and null.
import type { AgreementOfPart, AgreementReport } from '#feedback'

/** Null: no item of the part has two judgements yet. */
export type AgreementInPart = { judgements: number; agreement: AgreementReport | null }

export function agreementIn(parts: readonly AgreementOfPart[], name: string | undefined): AgreementInPart {
  const found = parts.find(({ part }) => part === name)
  return { judgements: found?.judgements ?? 0, agreement: found && 'report' in found ? found.report : null }
}

export function partShown<T extends AgreementInPart>(part: T) {
  return { ...part, agreement: part.agreement && agreementShown(part.agreement) }
}

export function agreementShown(agreement: AgreementReport) {
  return {
    ...agreement,
    percent: defined(agreement.percent),
    alpha: defined(agreement.alpha),
    alphaOrdinal: defined(agreement.alphaOrdinal),
    alphaInterval: defined(agreement.alphaInterval),
    fleiss: defined(agreement.fleiss),
    gwetAC1: defined(agreement.gwetAC1),
    gwetAC2: defined(agreement.gwetAC2),
    ...(agreement.cohen && { cohen: defined(agreement.cohen) }),
  }
}

export function defined<T extends { value: number; low: number; high: number }>(interval: T | undefined): T | null {
  return interval && [interval.value, interval.low, interval.high].every(Number.isFinite) ? interval : null
}
