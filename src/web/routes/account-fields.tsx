// What joining, set-up and a new password ask for, and the token that brought somebody there.
import { useState } from 'react'
import { Field } from '../parts.tsx'

/** The token of a link: in the address after #, which browsers send to nobody. Empty where there is none. */
export function useToken(): string {
  return useState(() => window.location.hash.slice(1))[0]
}

export function AccountFields({ autoFocus = false }: { autoFocus?: boolean }) {
  return (
    <>
      <Field label="Your name">
        {(attributes) => (
          <input {...attributes} name="name" required maxLength={120} autoComplete="name" autoFocus={autoFocus} />
        )}
      </Field>
      <Field label="E-mail address" hint="To sign in with. hone sends no mail.">
        {(attributes) => <input {...attributes} name="email" type="email" required autoComplete="username" />}
      </Field>
      <PasswordField label="Password" />
    </>
  )
}

export function PasswordField({ label, autoFocus = false }: { label: string; autoFocus?: boolean }) {
  return (
    <Field label={label} hint="At least 12 characters; a sentence is fine.">
      {(attributes) => (
        <input
          {...attributes}
          name="password"
          type="password"
          required
          minLength={12}
          maxLength={128}
          autoComplete="new-password"
          autoFocus={autoFocus}
        />
      )}
    </Field>
  )
}
