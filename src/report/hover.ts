// The page's only script: the tooltip and cross-hair of charts. Without it every point keeps its own <title>. It sets
// text by textContent and moves by the style object, so a strict content policy holds. No module, no dependency.
export const HOVER_SCRIPT = `(() => {
  'use strict'
  const tip = document.createElement('div')
  tip.className = 'tip'
  tip.hidden = true
  document.body.append(tip)
  const hide = () => {
    tip.hidden = true
    for (const c of document.querySelectorAll('.cross.on')) c.classList.remove('on')
  }
  for (const svg of document.querySelectorAll('svg[data-near]')) {
    const along = svg.dataset.near
    const points = [...svg.querySelectorAll('.pt')].map((el) => {
      const title = el.querySelector('title')
      const text = title.textContent
      title.remove()
      return { el, text, x: Number(el.getAttribute('cx')), y: Number(el.getAttribute('cy')) }
    })
    const cross = svg.querySelector('.cross')
    const size = svg.viewBox.baseVal
    const show = (event) => {
      const box = svg.getBoundingClientRect()
      const unit = size.width / box.width
      const x = (event.clientX - box.left) * unit
      const y = (event.clientY - box.top) * unit
      const far = (p) => Math.abs(along === 'x' ? p.x - x : p.y - y)
      let near
      for (const p of points) if (!near || far(p) < far(near)) near = p
      if (!near || far(near) > 40) return hide()
      const same = points.filter((p) => Math.abs(p[along] - near[along]) < 0.11)
      hide()
      const at = along === 'x' ? { x1: near.x, x2: near.x, y1: 14, y2: size.height - 38 } : { x1: 0, x2: size.width, y1: near.y, y2: near.y }
      for (const name in at) cross.setAttribute(name, at[name])
      cross.classList.add('on')
      tip.textContent = same.map((p) => p.text).join('\\n')
      tip.hidden = false
      const left = Math.min(event.clientX + 14, document.documentElement.clientWidth - tip.offsetWidth - 8)
      const above = event.clientY - tip.offsetHeight - 14
      tip.style.left = Math.max(8, left) + 'px'
      tip.style.top = (above < 8 ? event.clientY + 18 : above) + 'px'
    }
    svg.addEventListener('pointermove', show)
    svg.addEventListener('pointerdown', show)
    svg.addEventListener('pointerleave', hide)
  }
  addEventListener('scroll', hide, { passive: true })
})()`
