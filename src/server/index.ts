// The HTTP API, sign-in, live events and web pages of a workspace. No model runs in it.
export { createServer, type HoneServer, type ServerOptions } from './app.ts'
export { reportOn } from './campaign-report.ts'
