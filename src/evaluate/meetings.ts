// Who meets whom where several models answered the same prompts.
import { deriveSeed, generator } from '#stats'

/** Indices of models: `a` answers on the side of a, `b` on the other; `at` is the answer that both gave, of so many. */
export type Meeting = { at: number; a: number; b: number }

/** Each two models at each of `count` answers; of each two, either is `a` in half of them, up to one. */
export function meetingsOf(models: number, { count, seed }: { count: number; seed: number }): Meeting[] {
  const indices = Array.from({ length: models }, (_, m) => m)
  return indices.flatMap((x) =>
    indices.slice(x + 1).flatMap((y) => {
      const random = generator(deriveSeed(seed, 'round-sides', x, y))
      const odd = random.int(2)
      const isXFirst = random.shuffle(Array.from({ length: count }, (_, at) => (at + odd) % 2 === 0))
      return isXFirst.map((isFirst, at) => (isFirst ? { at, a: x, b: y } : { at, a: y, b: x }))
    }),
  )
}

/** The same in an order that tells nobody who is who. */
export function shuffledMeetings(models: number, o: { count: number; seed: number }): Meeting[] {
  return generator(deriveSeed(o.seed, 'round-order')).shuffle(meetingsOf(models, o))
}
