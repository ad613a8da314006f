// The page's style: a paper in light, the same paper at night, on a phone, and on paper. Colours are variables; charts
// use them by class. The pairs blue, orange, purple, green keep apart under the common colour deficiencies and carry
// no meaning alone: lines are labelled, states are written. Every text colour has 4.5:1 on its ground.
import { RING_STYLE } from './loop.ts'

export const STYLE = `
:root{color-scheme:light dark;
--paper:#fbfaf7;--card:#fff;--well:#f3f1eb;--ink:#1c2026;--soft:#5a616b;--hair:#e4e1d8;--axis:#a9a598;
--proxy:#b24a07;--check:#0a5c9e;--kl:#6a489f;--sft:#646b75;--ok:#0b6e55;--bad:#b0213a;--term-a:#0a5c9e;--term-b:#0b6e55;--term-c:#8a5a00;
--ok-well:#e3f2ec;--bad-well:#fbe6e8;--sim:#7a5200;--sim-well:#fdf1d3;--sim-edge:#e5c878;
--serif:"Iowan Old Style","Palatino Linotype",Palatino,P052,"Book Antiqua",Georgia,serif;
--sans:Inter,ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
@media (prefers-color-scheme:dark){:root{
--paper:#14161a;--card:#1a1d22;--well:#20242a;--ink:#e9e7e1;--soft:#a4abb5;--hair:#2c3038;--axis:#5d636d;
--proxy:#f29a56;--check:#72b8f4;--kl:#bda5f2;--sft:#a4abb5;--ok:#55cba5;--bad:#ff8c98;--term-a:#72b8f4;--term-b:#55cba5;--term-c:#e3c063;
--ok-well:#15322a;--bad-well:#3c1d22;--sim:#f0cf7f;--sim-well:#332a12;--sim-edge:#6b5520}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%;scroll-behavior:smooth}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.6 var(--sans);font-variant-numeric:tabular-nums lining-nums;overflow-wrap:break-word}
main,.top,footer{max-width:1120px;margin:0 auto;padding:0 32px}
h1,h2{font-family:var(--serif);font-weight:600;line-height:1.12;letter-spacing:-.012em;margin:0}
h3,h4{font-size:15px;font-weight:650;line-height:1.35;margin:0}
p{margin:0}
a{color:inherit;text-decoration-color:var(--axis);text-underline-offset:3px}
:focus-visible{outline:2px solid var(--check);outline-offset:2px}
code,pre,.mono{font-family:var(--mono);font-size:.9em}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.top{display:flex;flex-wrap:wrap;justify-content:space-between;gap:4px 24px;padding-top:22px;padding-bottom:14px;font-size:13.5px;color:var(--soft)}
.top b{color:var(--ink)}
.sim-note{background:var(--sim-well);border:1px solid var(--sim-edge);border-radius:8px;padding:10px 14px;font-size:14.5px;line-height:1.5}
.sim-note b{color:var(--sim)}
.hero>div,.top>span,.step-head>*,.flow>div,.trail li{min-width:0}
.hero,.top,.step-lead,.flow,.trail{overflow-wrap:anywhere}
.hero{display:grid;grid-template-columns:minmax(0,1fr);gap:36px;padding:36px 0 44px}
.hero h1{font-size:clamp(44px,7vw,76px)}
.hero .lead{font:400 clamp(18px,1.7vw,21px)/1.5 var(--serif);margin-top:18px;max-width:34em}
.eyebrow{font-size:13px;font-weight:650;letter-spacing:.07em;text-transform:uppercase;color:var(--soft);margin-bottom:12px}
.is-released{color:var(--ok)}.is-refused{color:var(--bad)}
.reasons{margin:14px 0 0;padding-left:20px}
.tiles{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));margin:28px 0 0;border-top:1px solid var(--hair)}
.tiles div{padding:14px 16px 12px 0;border-bottom:1px solid var(--hair)}
.tiles div:nth-child(even){padding-left:20px;border-left:1px solid var(--hair)}
.tiles dt{font-size:13.5px;color:var(--soft);line-height:1.4}
.tiles dd{margin:0}
.tiles .big{font:600 30px/1.2 var(--serif)}
.tiles .small{display:block;font-size:13px;color:var(--soft)}
.tiles svg{display:block;margin-top:6px;width:100%;max-width:190px;height:14px}
.loop{list-style:none;margin:0;padding:0;position:relative}
.loop li{position:relative}
.loop a{text-decoration:none}
.node>span{display:block}
.node-name{font-size:13.5px;font-weight:600;line-height:1.25}
.node-key{font:600 21px/1.25 var(--serif)}
.node-note{font-size:12.5px;line-height:1.3;color:var(--soft)}
.dot{display:grid;place-items:center;width:32px;height:32px;border-radius:50%;font-size:14px;font-weight:650;background:var(--ink);color:var(--paper)}
.missing .dot{background:var(--paper);color:var(--soft);border:2px dashed var(--axis)}
.missing .node-name,.missing .node-key{color:var(--soft)}
.end-released .dot{background:var(--ok)}.end-refused .dot{background:var(--bad)}
.loop-ring,.loop-centre{display:none}
@media (max-width:719px){
.loop li{padding:0 0 18px 46px}
.loop .dot{position:absolute;left:0;top:0}
.loop li:not(:last-child)::before{content:"";position:absolute;left:15px;top:36px;bottom:4px;width:2px;background:var(--axis)}
.node>.node-key{display:inline;font-size:18px;margin-right:8px}.node>.node-note{display:inline}
}
@media (min-width:720px){
.loop-wrap{position:relative;width:580px;height:500px;margin:0 auto}
.loop-ring{display:block;position:absolute;inset:0}
.loop{position:absolute;inset:0}
.loop li{position:absolute}
.loop .dot{position:absolute;left:-16px;top:-16px;box-shadow:0 0 0 6px var(--paper)}
.node{position:absolute;width:124px}
li:nth-child(1) .node{bottom:22px;left:-75px;width:150px;text-align:center}
li:nth-child(2) .node,li:nth-child(3) .node{left:28px;transform:translateY(-50%)}
li:nth-child(6) .node,li:nth-child(7) .node{right:28px;text-align:right;transform:translateY(-50%)}
li:nth-child(4) .node{top:22px;left:-16px;width:160px}
li:nth-child(5) .node{top:22px;right:-16px;width:160px;text-align:right}
${RING_STYLE}
.loop-centre{display:block;position:absolute;left:180px;width:220px;top:248px;margin:0;transform:translateY(-50%);text-align:center;font-size:13.5px;line-height:1.45;color:var(--soft)}
.loop-centre b{display:block;font:600 21px/1.25 var(--serif);color:var(--ink);margin-bottom:4px}
}
@media (min-width:1080px){.hero{grid-template-columns:minmax(0,1fr) 580px;align-items:center;gap:20px}}
.ring-line{fill:none;stroke:var(--axis);stroke-width:1.6}
.ring-arrow{fill:var(--paper);stroke:var(--axis);stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
section.step{border-top:1px solid var(--hair);padding:44px 0 52px}
.step-head{display:grid;grid-template-columns:64px minmax(0,1fr) auto;align-items:baseline;column-gap:8px}
.step-number{font:400 40px/1 var(--serif);color:var(--axis)}
.step-head h2{font-size:31px}
.step-state{font-size:13.5px;color:var(--soft);white-space:nowrap}
.step-lead{grid-column:2/3;font:400 18px/1.55 var(--serif);margin-top:10px;max-width:44em}
.step-body{margin-top:28px;display:grid;gap:32px 40px;grid-template-columns:minmax(0,1fr)}
@media (min-width:1000px){.step-body{grid-template-columns:repeat(2,minmax(0,1fr))}.full{grid-column:1/-1}}
.missing-step{border:1.5px dashed var(--axis);border-radius:8px;padding:16px 18px;color:var(--soft)}
.flow{display:grid;grid-template-columns:minmax(0,1fr);gap:1px;margin:0;background:var(--hair);border:1px solid var(--hair);border-radius:8px;overflow:hidden}
@media (min-width:720px){.flow{grid-template-columns:repeat(2,minmax(0,1fr))}}
.flow>div{background:var(--card);padding:14px 18px}
.flow dt,.mini-head{font-size:12.5px;font-weight:650;letter-spacing:.06em;text-transform:uppercase;color:var(--soft)}
.flow dd{margin:4px 0 0;font-size:15px;line-height:1.55}
.figure{margin:0;min-width:0}
.figure-head{display:flex;flex-wrap:wrap;justify-content:space-between;align-items:baseline;gap:2px 12px;margin-bottom:10px}
.tag{display:inline-block;font-size:12px;line-height:1.5;border-radius:99px;padding:0 9px;white-space:nowrap;border:1px solid var(--hair);color:var(--soft)}
.tag.sim{background:var(--sim-well);border-color:var(--sim-edge);color:var(--sim)}
figcaption{font-size:13.5px;line-height:1.5;color:var(--soft);margin-top:6px}
.drawing svg{display:none;overflow:visible;max-width:100%;height:auto;touch-action:pan-y}
.drawing .w350{display:block}
@media (min-width:600px){.drawing .w350{display:none}.drawing .w520{display:block}}
@media (min-width:1120px){.full .drawing .w520{display:none}.full .drawing .w1056{display:block}}
svg text{font-family:var(--sans);fill:currentColor;font-size:12px}
svg .tick,svg .axis-label{fill:var(--soft);font-size:11.5px}
svg .panel{font-weight:600;font-size:12.5px}svg .panel,svg .end,svg .row,svg .value,svg .rule-label{paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}
svg .end{font-weight:600}
svg .row{font-size:12.5px}svg .note,svg .rule-label{fill:var(--soft);font-size:11px}
svg .value{font-size:12.5px}
.grid{stroke:var(--hair);stroke-width:1}.axis{stroke:var(--axis);stroke-width:1}
.rule{stroke:var(--soft);stroke-width:1.2;stroke-dasharray:2 3;fill:none}.rule.strong{stroke-dasharray:none;stroke:var(--axis)}
.series path{fill:none;stroke:currentColor;stroke-width:1.9;stroke-linejoin:round}
.err,.whisker{stroke:currentColor;stroke-width:1.6}.whisker{stroke-width:2.2;stroke-linecap:round;opacity:.62}.err{opacity:.5}
.joined{fill:none;stroke:currentColor;stroke-width:1.4;opacity:.5}
.pt{fill:currentColor;stroke:transparent;stroke-width:10;pointer-events:all}
.other{fill:var(--paper);stroke:currentColor;stroke-width:1.7}
.bar{fill:var(--axis)}
.flag line{stroke:currentColor;stroke-width:1.2}.flag text{font-size:11.5px;font-weight:600}
.cross{stroke:var(--ink);stroke-width:1;opacity:0;pointer-events:none}.cross.on{opacity:.35}
.c-proxy{color:var(--proxy)}.c-check{color:var(--check)}.c-kl{color:var(--kl)}.c-sft{color:var(--sft)}.c-ok{color:var(--ok)}.c-bad{color:var(--bad)}.c-ink{color:var(--ink)}.c-soft{color:var(--soft)}.c-term-a{color:var(--term-a)}.c-term-b{color:var(--term-b)}.c-term-c{color:var(--term-c)}
.tip{position:fixed;z-index:9;max-width:min(380px,94vw);background:var(--ink);color:var(--paper);font-size:13px;line-height:1.5;padding:7px 11px;border-radius:6px;white-space:pre-line;pointer-events:none}
.measured b{font-weight:650}.ci,.n{color:var(--soft)}.n{font-size:.9em;white-space:nowrap}.ci{white-space:nowrap}.absent{color:var(--soft)}
.scrolls{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;font-size:14px;line-height:1.45;min-width:100%}
th,td{text-align:left;padding:7px 18px 7px 0;border-bottom:1px solid var(--hair);vertical-align:top}
thead th{font-size:12.5px;font-weight:600;color:var(--soft);border-bottom-color:var(--axis);white-space:nowrap}
tbody th{font-weight:600}
td:last-child,th:last-child{padding-right:0}
.block{min-width:0}.block>h3{margin-bottom:10px}
.block>p,.block>ul{font-size:15px}.block>ul{margin:8px 0;padding-left:20px}
details>summary{cursor:pointer;font-size:13.5px;color:var(--soft);width:fit-content}
details.numbers{margin-top:4px}.numbers table{font-size:12.5px;margin-top:6px}.numbers td,.numbers th{padding:3px 14px 3px 0;white-space:nowrap}
.numbers .scrolls{max-height:320px;overflow:auto}
.pass{color:var(--ok);font-weight:650;white-space:nowrap}.fail{color:var(--bad);font-weight:650;white-space:nowrap}
.criteria{display:grid;gap:0 40px;grid-template-columns:minmax(0,1fr)}
@media (min-width:820px){.criteria{grid-template-columns:repeat(2,minmax(0,1fr))}}
.criterion{border-top:1px solid var(--hair);padding:13px 0 15px;font-size:14.5px;line-height:1.5}
.criterion h4 .tag{margin-left:8px;vertical-align:1px}
.criterion q{color:var(--soft)}
.criterion dl{margin:6px 0 0;display:grid;grid-template-columns:auto minmax(0,1fr);gap:1px 12px;font-size:13.5px}
.criterion dt{color:var(--soft)}.criterion dd{margin:0}
.sample{border:1px solid var(--hair);border-radius:8px;overflow:hidden;margin-bottom:16px;background:var(--card)}
.sample-prompt{background:var(--well);padding:11px 16px;font-size:14px;line-height:1.5}
.sample-texts{display:grid;grid-template-columns:minmax(0,1fr)}
@media (min-width:820px){.sample-texts{grid-template-columns:repeat(auto-fit,minmax(0,1fr));grid-auto-flow:column;grid-auto-columns:minmax(0,1fr)}.sample-texts>div+div{border-left:1px solid var(--hair);border-top:0}}
.sample-texts>div{padding:11px 16px 13px;font-size:14.5px;line-height:1.55;min-width:0}
.sample-texts>div+div{border-top:1px solid var(--hair)}
@media (min-width:820px){.sample-texts>div+div{border-top:0}}
.sample-texts .mini-head{display:flex;justify-content:space-between;gap:10px;flex-wrap:wrap;margin-bottom:3px}
.sample-texts .mini-head span{letter-spacing:0;text-transform:none;font-weight:400}
.text{white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:isolate}
.long{max-height:15em;overflow-y:auto}
del,ins{text-decoration-thickness:1.5px;text-underline-offset:3px;border-radius:3px;padding:0 1px}
del{background:var(--bad-well);text-decoration:line-through;text-decoration-color:var(--bad)}
ins{background:var(--ok-well);text-decoration:underline;text-decoration-color:var(--ok)}
.lineage-node rect{fill:var(--card);stroke:var(--axis);stroke-width:1.2}
.lineage-node .kind{font-size:10.5px;fill:var(--soft);letter-spacing:.04em}
.lineage-node .label{font-size:12.5px;font-weight:600}
.lineage-edge{fill:none;stroke:var(--axis);stroke-width:1.3}
.on-path rect{stroke:var(--check);stroke-width:2}.lineage-edge.on-path{stroke:var(--check);stroke-width:2.2}
.is-checkpoint rect{fill:var(--well);stroke-width:2.4}
.lineage-svg{display:block;overflow:visible;margin:0 auto}
ol.trail{margin:0;padding:0;list-style:none}
ol.trail li{position:relative;padding:0 0 14px 22px;font-size:14.5px;line-height:1.5}
ol.trail li::before{content:"";position:absolute;left:3px;top:8px;width:9px;height:9px;border-radius:50%;background:var(--check)}
ol.trail li:not(:last-child)::after{content:"";position:absolute;left:7px;top:20px;bottom:-6px;width:1.5px;background:var(--axis)}
.trail .kind{font-size:12.5px;color:var(--soft);display:block}
.settings{display:grid;grid-template-columns:minmax(0,1fr);gap:8px}
.settings dl,.env{display:grid;grid-template-columns:repeat(auto-fill,minmax(220px,1fr));gap:3px 26px;margin:8px 0 14px;font-size:13.5px}
.settings dl div,.env div{display:flex;justify-content:space-between;gap:12px;border-bottom:1px solid var(--hair)}
.settings dt,.env dt{color:var(--soft)}.settings dd,.env dd{margin:0;text-align:right;overflow-wrap:anywhere}
pre.command{background:var(--well);border-radius:8px;padding:12px 16px;margin:0;overflow-x:auto;font-size:14px}
footer{border-top:1px solid var(--hair);padding-top:18px;padding-bottom:40px;font-size:13.5px;color:var(--soft)}
@media (max-width:599px){
main,.top,footer{padding-left:20px;padding-right:20px}
.hero{padding:24px 0 28px}.step-head{grid-template-columns:auto minmax(0,1fr)}.step-number{font-size:30px;padding-right:8px}
.step-head h2{font-size:26px}.step-state{grid-column:2;white-space:normal}.step-lead{grid-column:1/-1;font-size:17px}
section.step{padding:32px 0 36px}table.many{min-width:720px}.side th:first-child{position:sticky;left:0;width:130px;min-width:130px;white-space:normal;background:var(--paper)}.tiles .big{font-size:25px}.tiles div:nth-child(even){padding-left:14px}
}
@media print{
:root{color-scheme:light;--paper:#fff;--card:#fff;--well:#f4f2ed;--ink:#111;--soft:#4d545d;--hair:#ddd;--axis:#999;--proxy:#b24a07;--check:#0a5c9e;--kl:#6a489f;--sft:#646b75;--ok:#0b6e55;--bad:#b0213a;--term-a:#0a5c9e;--term-b:#0b6e55;--term-c:#8a5a00;--ok-well:#e3f2ec;--bad-well:#fbe6e8;--sim:#7a5200;--sim-well:#fdf1d3;--sim-edge:#e5c878}
@page{margin:14mm 13mm}
body{font-size:10.5pt}main,.top,footer{padding:0;max-width:none}
section.step{padding:20pt 0}.hero{padding:14pt 0}.loop-wrap,.flow,.step-head,.lineage-svg,.figure,.sample,.criterion,.tiles div,tr,.flow>div{break-inside:avoid}h2,h3,.step-head{break-after:avoid}
details.numbers,.tip{display:none}.scrolls,.long{overflow:visible;max-height:none}.lineage-svg{max-width:100%;height:auto}
table,table.many{font-size:8pt;min-width:100%;overflow-wrap:anywhere}thead th{white-space:normal;overflow-wrap:normal}th,td{padding-right:8pt}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
`
