// What two texts have in common, for people to see.
export { type DiffPart, MOST_WORDS, type WordDiff, wordDiff } from './word-diff.ts'
