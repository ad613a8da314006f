// Rule term: nothing is said twice. Shares nothing with the simulated gold and imports nothing.

/** 0: every sentence is said once; down by 1 for each sentence said again; -3 at least. */
export default function once({ completion }: { prompt: string; completion: string; finished: boolean }): number {
  const sentences = completion.slice(0, 4000).match(/[^.!?]*[^.!?\s][^.!?]*[.!?]?/g) ?? []
  const again = sentences.length - new Set(sentences.map((sentence) => sentence.trim())).size
  return again === 0 ? 0 : -Math.min(3, again)
}
