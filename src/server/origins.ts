// What a version of a dataset came of, in words: of the source that its maker recorded.
import type { Version } from '#data'

export function originOf({ source }: Version): string {
  const text = (name: string): string => String(source[name])
  if ('import' in source) return `import of ${text('import')}`
  if ('check' in source) return `check: ${countsIn(source.check)}`
  if ('split' in source) return `split: ${text('split')} by ${text('by')}, seed ${text('seed')}`
  if ('fill' in source) return `samples of ${modelsIn(source.models)}`
  if ('campaign' in source)
    return `campaign, ${text('guideline')}${'excluded' in source ? `; ${text('excluded')} taken out by adjudicators` : ''}`
  if ('judged' in source) return `judged by ${text('judged')}`
  if ('made' in source) return `made by ${text('made')}`
  if ('aggregate' in source) return `preferences by ${text('aggregate')}`
  if ('demo' in source) return text('demo')
  return JSON.stringify(source)
}

function countsIn(counts: unknown): string {
  const found = Object.entries(counts as Record<string, number>).map(([check, rows]) => `${rows} ${check}`)
  return found.length > 0 ? found.join(', ') : 'nothing found'
}

function modelsIn(models: unknown): string {
  return (models as { name: string }[]).map(({ name }) => name).join(' and ')
}
