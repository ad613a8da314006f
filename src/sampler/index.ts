// Completions of models for many callers at once: a shared stream of samples, OpenAI's HTTP API over it, and a process apart
// that the server reaches over a unix socket.
export {
  type Answering,
  type Completion,
  completionSeed,
  type Drawing,
  drawRows,
  type Piece,
} from './completions.ts'
export { openSamplerLink } from './link.ts'
export { openService, type Served, type Service } from './openai/app.ts'
export { serveSampler } from './process.ts'
export { openSampler, type Sampler } from './sampler.ts'
