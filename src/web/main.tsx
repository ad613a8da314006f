// The web application: one query cache, one router, nothing else that is global.
import './no-eval.ts'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ApiError } from './api.ts'
import { router } from './router.tsx'
import './style/tokens.css'
import './style/base.css'
import './style/parts.css'
import './style/loop.css'
import './style/annotate.css'
import './style/judging.css'
import './style/markdown.css'
import './style/questions.css'
import './style/adjudicate.css'
import './style/person.css'
import './style/release.css'
import './style/ratings.css'
import './style/runs.css'
import './style/compare.css'
import './style/objective.css'
import './style/datasets.css'

const queries = new QueryClient({
  defaultOptions: {
    // What was refused stays refused; what did not arrive is asked again.
    queries: {
      retry: (count, error) => count < 3 && !(error instanceof ApiError && error.status !== 0 && error.status < 500),
      staleTime: 2000,
    },
  },
})

createRoot(document.getElementById('app')!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
)
