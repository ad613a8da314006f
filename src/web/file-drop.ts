// A place where a file is dropped, or chosen by the field inside it.
import { type ChangeEvent, type DragEvent, useState } from 'react'

/** `place`: for the element with the class `drop`; `onChange`: for the field. The same file may be given twice. */
export function useFileDrop(take: (file: File | undefined) => void) {
  const [isOver, setOver] = useState(false)
  return {
    place: {
      'data-over': isOver,
      onDragOver: (event: DragEvent) => {
        event.preventDefault()
        setOver(true)
      },
      onDragLeave: () => setOver(false),
      onDrop: (event: DragEvent) => {
        event.preventDefault()
        setOver(false)
        take(event.dataTransfer.files[0])
      },
    },
    onChange: ({ target }: ChangeEvent<HTMLInputElement>) => {
      take(target.files?.[0])
      target.value = ''
    },
  }
}
