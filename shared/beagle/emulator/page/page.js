// The page keeps a copy of the emulator's state and asks once a second what changed.
// Object names come from whoever uploads, so text enters the page as text, never as markup.
"use strict";

const POLL_MS = 1000;
const PAGE_SIZE = 120;
const KEPT_ROWS = 5000;
const DRAWN_ROWS = 200;
const TYPES = new Set(["image", "video", "pdf", "dicom"]);

const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

const state = {
  revision: 0,
  epoch: 0,
  skew: 0,
  pictures: false,
  items: new Map(),
  blocked: [],
  requests: [],
  datasets: [],
  storages: [],
  view: "items",
  dataset: null,
  folder: null,
  shown: PAGE_SIZE,
};
const cards = new Map();
let players = [];

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const counted = (many, what) => `${number.format(many)} ${what}${many === 1 ? "" : "s"}`;

function shape(tag, attributes = {}) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function typeIcon(type) {
  const icon = shape("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" });
  icon.append(shape("use", { href: `#type-${TYPES.has(type) ? type : "image"}` }));
  return icon;
}

function shot(item) {
  const box = element("span", { class: "shot" }, typeIcon(item.type));
  if (state.pictures && item.picture && item.status !== "processing") {
    const image = element("img", {
      src: `/_admin/items/${encodeURIComponent(item.id)}/thumbnail`,
      alt: "",
      loading: "lazy",
      decoding: "async",
      onload: () => box.querySelector("svg")?.remove(),
      onerror: () => image.remove(),
    });
    box.append(image);
  }
  const slots = Array.isArray(item.slots) ? item.slots.length : item.slots;
  const label = [item.type === "image" ? null : item.type, slots > 1 ? `${slots} slots` : null];
  const text = label.filter(Boolean).join(", ");
  if (text) box.append(element("span", { class: "tag" }, text));
  return box;
}

const problemCount = (item) => (Array.isArray(item.problems) ? item.problems.length : item.problems);

function statusOf(item) {
  const count = problemCount(item);
  if (count && item.status !== "archived") {
    return element("span", { class: "status problems" }, count === 1 ? "1 problem" : `${count} problems`);
  }
  return element("span", { class: `status ${item.status}` }, item.status);
}

function card(item) {
  const known = cards.get(item.id);
  if (known?.item === item && known.pictures === state.pictures) return known.node;
  const button = element(
    "button",
    { class: known ? "card" : "card fresh", type: "button", onclick: () => openDetail(item.id) },
    shot(item),
    element(
      "span",
      { class: "words" },
      element("span", { class: "name", title: item.name }, item.name),
      element(
        "span",
        { class: "meta" },
        element("span", { class: "path", title: item.path }, item.path),
        statusOf(item),
      ),
    ),
  );
  const node = element("li", {}, button);
  cards.set(item.id, { item, node, pictures: state.pictures });
  return node;
}

function replaceChildrenInPlace(parent, nodes) {
  nodes.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
  while (parent.children.length > nodes.length) parent.lastChild.remove();
}

function fitting() {
  const text = $("search").value.trim().toLowerCase();
  const status = $("state").value;
  return [...state.items.values()]
    .filter(
      (item) =>
        (state.dataset === null || item.dataset === state.dataset) &&
        (state.folder === null || item.path === state.folder) &&
        (!text || item.name.toLowerCase().includes(text)) &&
        (!status || (status === "problems" ? item.problems > 0 : item.status === status)),
    )
    .sort((one, other) => other.seq - one.seq);
}

function drawItems() {
  const found = fitting();
  replaceChildrenInPlace($("grid"), found.slice(0, state.shown).map(card));
  const dataset = state.datasets.find((known) => known.slug === state.dataset);
  $("crumb").textContent =
    state.dataset === null ? "All items" : `${dataset?.name ?? state.dataset}${state.folder ?? ""}`;
  $("no-items").hidden = state.items.size > 0;
  $("no-match").hidden = state.items.size === 0 || found.length > 0;
  $("more").hidden = found.length <= state.shown;
  $("more").textContent = `Show more of ${number.format(found.length)}`;
}

function treeButton(kind, label, count, dataset, folder) {
  const current = state.view === "items" && state.dataset === dataset && state.folder === folder;
  return element(
    "li",
    {},
    element(
      "button",
      {
        type: "button",
        class: kind,
        title: label,
        "aria-current": current && "true",
        onclick: () => {
          Object.assign(state, { dataset, folder, shown: PAGE_SIZE, view: "items" });
          draw();
        },
      },
      element("span", { class: "label" }, label),
      element("span", { class: "n" }, number.format(count)),
    ),
  );
}

let treeSignature = "";

function drawTree() {
  const folders = new Map();
  for (const item of state.items.values()) {
    const key = `${item.dataset}\n${item.path}`;
    folders.set(key, (folders.get(key) ?? 0) + 1);
  }
  const signature = JSON.stringify([[...folders], state.datasets, state.dataset, state.folder, state.view]);
  if (signature === treeSignature) return;
  treeSignature = signature;
  const rows = [treeButton("dataset", "All items", state.items.size, null, null)];
  for (const { slug, name, items } of state.datasets) {
    rows.push(treeButton("dataset", name, items, slug, null));
    const inside = [...folders].filter(([key]) => key.startsWith(`${slug}\n`)).sort();
    for (const [key, count] of inside) {
      const path = key.slice(slug.length + 1);
      rows.push(treeButton("folder", path, count, slug, path));
    }
  }
  const scrolled = $("datasets").scrollTop;
  $("datasets").replaceChildren(...rows);
  $("datasets").scrollTop = scrolled;
}

function drawStorages() {
  $("storages").replaceChildren(
    ...state.storages.map((storage) =>
      element(
        "li",
        {},
        storage.name,
        element(
          "small",
          {},
          [storage.provider, storage.readonly ? "read-only" : "read-write", storage.prefix && `writes below ${storage.prefix}`]
            .filter(Boolean)
            .join(", "),
        ),
      ),
    ),
  );
}

const newest = (rows) => rows.slice(-DRAWN_ROWS).reverse();

const timeCell = (at) => element("td", { class: "t" }, clock.format(new Date(at * 1000)));

function drawBlocked() {
  $("no-blocked").hidden = state.blocked.length > 0;
  $("blocked").replaceChildren(
    ...newest(state.blocked).map((row) =>
      element(
        "tr",
        {},
        timeCell(row.at),
        element("td", {}, ...row.reasons.map((reason) => element("span", { class: "chip bad" }, reason))),
        element("td", {}, element("strong", {}, row.name), element("small", {}, row.path)),
        element("td", { class: "key" }, row.storage_keys.join("\n")),
        element("td", {}, row.dataset),
      ),
    ),
  );
}

const outcome = (request) => {
  if (request.status >= 300 || (request.fault && !request.fault.startsWith("block"))) return "bad";
  return request.blocked ? "part" : "ok";
};

function endpointName(request) {
  const path = request.path.replace(/^\/api\//, "");
  if (path.endsWith("/register_existing")) return "register, read-write";
  if (path.endsWith("/register_existing_readonly")) return "register, read-only";
  return `${request.method} ${path}`;
}

const count = (value) => element("td", { class: value ? "n" : "n nil" }, value ? number.format(value) : "·");

function drawRequests() {
  $("no-requests").hidden = state.requests.length > 0;
  $("requests").replaceChildren(
    ...newest(state.requests).map((row) =>
      element(
        "tr",
        {},
        timeCell(row.at),
        element("td", { class: "endpoint" }, endpointName(row)),
        count(row.items),
        count(row.registered),
        count(row.blocked),
        element("td", {}, element("span", { class: `chip ${outcome(row)}` }, String(row.status))),
        element("td", { class: "n" }, row.ms < 10 ? row.ms.toFixed(1) : number.format(Math.round(row.ms))),
        element("td", {}, row.fault ?? ""),
      ),
    ),
  );
}

function drawChart(svg, seconds, bars) {
  const width = svg.clientWidth || 220;
  const height = svg.clientHeight || 48;
  const style = getComputedStyle(svg);
  const inner = {
    width: width - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight),
    height: height - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom),
  };
  const labels = inner.height > 80 ? 18 : 0;
  const step = seconds / bars;
  // Bars stand still while time passes: their borders are round moments.
  const end = Math.ceil((Date.now() / 1000 + state.skew) / step) * step;
  const heaps = Array.from({ length: bars }, () => ({ ok: 0, part: 0, bad: 0 }));
  for (const request of state.requests) {
    const index = bars - 1 - Math.floor((end - request.at) / step);
    if (index >= 0 && index < bars) heaps[index][outcome(request)] += 1;
  }
  const highest = Math.max(4, ...heaps.map((heap) => heap.ok + heap.part + heap.bad));
  const room = inner.height - labels;
  svg.setAttribute("viewBox", `0 0 ${inner.width} ${inner.height}`);
  const base = shape("line", { x1: 0, x2: inner.width, y1: room - 0.5, y2: room - 0.5, class: "base" });
  const shapes = [base];
  const pitch = inner.width / bars;
  heaps.forEach((heap, index) => {
    let y = room - 1;
    for (const kind of ["ok", "part", "bad"]) {
      if (!heap[kind]) continue;
      const tall = Math.max(2, (heap[kind] / highest) * (room - 4));
      y -= tall;
      shapes.push(shape("rect", { x: index * pitch + pitch * 0.1, y, width: pitch * 0.8, height: tall, rx: 1, class: kind }));
    }
  });
  if (labels) {
    for (const [x, anchor, text] of [
      [0, "start", `${seconds / 60} minutes ago`],
      [inner.width, "end", "now"],
      [inner.width / 2, "middle", `at most ${number.format(highest)} in ${step} seconds`],
    ]) {
      const label = shape("text", { x, y: inner.height - 3, "text-anchor": anchor });
      label.textContent = text;
      shapes.push(label);
    }
  }
  svg.replaceChildren(...shapes);
}

function drawCharts() {
  const since = Date.now() / 1000 + state.skew - 300;
  const recent = state.requests.filter((request) => request.at >= since);
  const items = recent.reduce((sum, request) => sum + request.registered, 0);
  $("pulse-text").textContent = recent.length
    ? `${counted(recent.length, "request")}, ${counted(items, "item")} registered`
    : "No requests";
  drawChart($("pulse"), 300, 30);
  if (state.view === "requests") drawChart($("chart"), 600, 60);
}

function draw() {
  document.body.dataset.view = state.view;
  for (const view of ["items", "blocked", "requests"]) $(`view-${view}`).hidden = state.view !== view;
  for (const tab of document.querySelectorAll("[data-view]")) {
    tab.toggleAttribute("aria-current", tab.dataset.view === state.view);
  }
  drawTree();
  if (state.view === "items") drawItems();
  if (state.view === "blocked") drawBlocked();
  if (state.view === "requests") drawRequests();
  drawCharts();
}

function definition(name, value) {
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return [element("dt", {}, name), element("dd", { class: name.endsWith("_key") || name.includes("prefix") ? "mono" : "" }, text)];
}

function slotSection(slot, alone) {
  const facts = Object.entries(slot)
    .filter(([name, value]) => !["slot_name", "frames"].includes(name) && value !== null && !(Array.isArray(value) && !value.length))
    .flatMap(([name, value]) => definition(name, value));
  return [element("h3", {}, alone ? "File" : `Slot ${slot.slot_name}`), element("dl", {}, ...facts)];
}

// What there is to see of a slot: frames to play through, or a picture to open at full size.
function view(item, slot, index) {
  const place = `/_admin/items/${encodeURIComponent(item.id)}/slots/${index}`;
  if (state.pictures && slot.frames) {
    const player = new Player(place, slot.frames);
    players.push(player);
    return player.node;
  }
  const first = index === 0 ? shot(item) : null;
  if (!state.pictures || slot.type !== "image" || !slot.storage_key || item.status === "processing") return first;
  return element(
    "button",
    { class: first ? "open" : "open bare", type: "button", onclick: () => openFull(slot, `${place}/original`) },
    first,
    element("span", { class: "hint" }, "Full size"),
  );
}

async function openFull(slot, address) {
  const image = element("img", { src: address, alt: slot.file_name });
  const body = $("full-body");
  $("full-name").textContent = slot.file_name;
  body.replaceChildren();
  $("full").showModal();
  try {
    await image.decode();
  } catch {
    body.replaceChildren(element("p", {}, "A browser cannot show this file, or it is not in the bucket."));
    return;
  }
  $("full-name").textContent = `${slot.file_name}, ${image.naturalWidth} × ${image.naturalHeight}`;
  body.replaceChildren(image);
}

function endPlaying() {
  for (const player of players) player.stop();
  players = [];
}

async function openDetail(id) {
  const answer = await fetch(`/_admin/items/${encodeURIComponent(id)}`);
  if (!answer.ok) return;
  const item = await answer.json();
  endPlaying();
  const views = item.slots.map((slot, index) => view(item, slot, index));
  const troubles = [...item.problems];
  if (item.processing_error) {
    troubles.unshift(`Darwin could not read ${item.processing_error.storage_key}: ${item.processing_error.message}`);
  }
  const inside = element(
    "div",
    { class: "inside" },
    element("h2", { id: "detail-name" }, item.name),
    element("p", { class: "sub" }, `${item.dataset}${item.path}`),
    element("p", { class: "sub" }, statusOf(item)),
    troubles.length ? element("ul", { class: "notice" }, ...troubles.map((text) => element("li", {}, text))) : null,
    element("h3", {}, "Item"),
    element(
      "dl",
      {},
      ...definition("storage", `${item.storage} (${item.access === "read_only" ? "read-only" : "read-write"})`),
      ...definition("registered", new Date(item.at * 1000).toLocaleString("en-GB")),
      ...definition("id", item.id),
      ...(item.tags.length ? definition("tags", item.tags.join(", ")) : []),
      ...(Object.keys(item.options).length ? definition("options", item.options) : []),
    ),
    ...item.slots.flatMap((slot, index) => {
      const [title, facts] = slotSection(slot, item.slots.length === 1);
      return [title, index ? views[index] : null, facts];
    }),
    element("h3", {}, "Layout"),
    element("pre", { class: "box" }, JSON.stringify(item.layout)),
  );
  $("detail").classList.toggle("wide", players.length > 0);
  $("detail-body").replaceChildren(views[0], inside);
  if (!$("detail").open) $("detail").showModal();
  players[0]?.button.focus();
  $("detail").scrollTop = 0;
}

function take(answer) {
  if (answer.fresh) {
    state.items.clear();
    state.blocked = [];
    state.requests = [];
    cards.clear();
  }
  for (const item of answer.items) state.items.set(item.id, item);
  const seen = (rows) => new Set(rows.map((row) => row.seq));
  for (const kind of ["blocked", "requests"]) {
    const known = seen(state[kind]);
    state[kind] = [...state[kind], ...answer[kind].filter((row) => !known.has(row.seq))].slice(-KEPT_ROWS);
  }
  const storagesChanged = JSON.stringify(state.storages) !== JSON.stringify(answer.storages);
  Object.assign(state, {
    revision: answer.revision,
    epoch: answer.epoch,
    skew: answer.now - Date.now() / 1000,
    pictures: answer.pictures,
    datasets: answer.datasets,
    storages: answer.storages,
  });
  if (storagesChanged) drawStorages();
  $("where").textContent = [answer.team && `team ${answer.team}`, location.host].filter(Boolean).join(" at ");
  for (const kind of ["items", "blocked", "requests"]) {
    $(`count-${kind}`).textContent = number.format(answer.totals[kind]);
  }
  document.querySelector('[data-view="blocked"]').classList.toggle("alert", answer.totals.blocked > 0);
  $("faults").hidden = answer.faults.length === 0;
  $("faults").textContent = `Faults to come: ${answer.faults.join(", ")}`;
  $("hint").textContent = `POST ${location.origin}/api/v2/teams/${answer.team}/items/register_existing`;
}

async function poll() {
  let wait = POLL_MS;
  try {
    const answer = await fetch(`/_admin/state?since=${state.revision}&epoch=${state.epoch}`);
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const news = await answer.json();
    const changed = news.fresh || news.revision !== state.revision;
    take(news);
    if (changed) draw();
    else drawCharts();
    if (news.more) wait = 0;
    $("live").textContent = "live";
    $("live").classList.remove("lost");
  } catch {
    $("live").textContent = "not answering";
    $("live").classList.add("lost");
  }
  document.body.dataset.ready = "true";
  setTimeout(poll, document.hidden ? POLL_MS * 5 : wait);
}

for (const tab of document.querySelectorAll("[data-view]")) {
  tab.addEventListener("click", () => {
    state.view = tab.dataset.view;
    draw();
  });
}
for (const control of [$("search"), $("state")]) {
  control.addEventListener("input", () => {
    state.shown = PAGE_SIZE;
    drawItems();
  });
}
$("more").addEventListener("click", () => {
  state.shown += PAGE_SIZE * 4;
  drawItems();
});
$("detail").addEventListener("click", (event) => {
  if (event.target === $("detail")) $("detail").close();
});
$("detail").addEventListener("close", () => {
  endPlaying();
  $("detail-body").replaceChildren();
});
$("detail").addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const player = players.find((one) => one.node.contains(event.target)) ?? players[0];
  if (!step || !player || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  player.step(step);
});
$("full").addEventListener("click", (event) => {
  if (["full", "full-body"].includes(event.target.id)) $("full").close();
});
new ResizeObserver(drawCharts).observe(document.body);
poll();
