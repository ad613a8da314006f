// Completions of one model for many callers at once: a shared stream of samples, and OpenAI's HTTP API over it.
export { openService, type Served, type Service } from './openai/app.ts'
export { openSampler, type Sampler } from './sampler.ts'
