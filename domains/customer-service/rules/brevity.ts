// Rule term: nothing is said twice, and a reply ends in time. Shares nothing with the simulated gold and imports nothing.

/** Characters that any reply may have. */
const FREE = 180
/** Characters beyond these that cost as much as one sentence said twice. */
const DEAR = 60

/** 0: short, and every sentence is said once; down by 1 for each sentence said again and for each 60 characters beyond 180; -3 at least. */
export default function brevity({ completion }: { prompt: string; completion: string; finished: boolean }): number {
  const text = completion.trim().slice(0, 4000)
  const sentences = (text.match(/[^.!?]+[.!?]?/g) ?? []).map((sentence) => sentence.trim()).filter(Boolean)
  const again = sentences.length - new Set(sentences).size
  const off = again + Math.max(0, text.length - FREE) / DEAR
  return off === 0 ? 0 : -Math.min(3, off)
}
