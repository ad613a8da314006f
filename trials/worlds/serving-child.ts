// A whole server with a model behind it, as a process whose memory can be watched: prints where it listens, whose it is, and ends
// with its standard input.
import { serve } from '@hono/node-server'
import { openApiWorld } from './api.ts'

const world = await openApiWorld({ isModelReal: true, contextTokens: Number(process.argv[2]) })
const { cookie } = await world.headersOf('owner')
const listener = serve({ fetch: world.harness.server.app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
  const { key, harness } = world
  console.log(
    JSON.stringify({ port, key, cookie, workspace: harness.workspace, pids: [process.pid, world.samplerPid()] }),
  )
})
process.stdin.on('end', () => {
  listener.close()
  if ('closeAllConnections' in listener) listener.closeAllConnections()
  void world.close().then(() => process.exit(0))
})
process.stdin.resume()
