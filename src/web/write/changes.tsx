// One text made of another: what was taken out is struck through, what was put in is marked.
import { wordDiff } from '#diff'

export function Changes({ before, after }: { before: string; after: string }) {
  const diff = wordDiff(before, after)
  const pieces: { text: string; kind: 'same' | 'del' | 'ins' }[] = []
  let [i, j] = [0, 0]
  while (i < diff.before.length || j < diff.after.length) {
    const [one, other] = [diff.before[i], diff.after[j]]
    if (one && one.kind !== 'same') pieces.push({ text: diff.before[i++]!.text, kind: 'del' })
    else if (other && other.kind !== 'same') pieces.push({ text: diff.after[j++]!.text, kind: 'ins' })
    else {
      const text = (other ?? one)!.text
      pieces.push({ text, kind: 'same' })
      i++
      j++
    }
  }
  return (
    <p className="text changes">
      {pieces.map(({ text, kind }, k) =>
        kind === 'del' ? (
          <del key={`${k}`}>{text}</del>
        ) : kind === 'ins' ? (
          <ins key={`${k}`}>{text}</ins>
        ) : (
          <span key={`${k}`}>{text}</span>
        ),
      )}
    </p>
  )
}
