// The address map as a picture. Each window is a lane; what is claimed in it is as wide as its size
// calls for on a logarithmic scale, because a lane of a terabyte holds BARs of four kilobytes.

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 1400;
const LABEL = 150;
const LANE = 58;
const BOX = 34;
const GAP = 22;
const NARROWEST = 76;

const hex = (n) => '0x' + n.toString(16);

export function size(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let left = BigInt(bytes);
  let unit = 0;
  while (left >= 1024n && left % 1024n === 0n && unit < units.length - 1) {
    left /= 1024n;
    unit++;
  }
  if (left < 1024n || unit === units.length - 1) {
    return `${left} ${units[unit]}`;
  }
  // Not even in any larger unit: about as much.
  let about = Number(left);
  while (about >= 1000 && unit < units.length - 1) {
    about /= 1024;
    unit++;
  }
  return `${about.toFixed(1)} ${units[unit]}`;
}

function make(name, attributes, parent) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    node.setAttribute(key, value);
  }
  parent?.append(node);
  return node;
}

function lanes(map) {
  const found = map.windows.map((window) => ({
    name: window.name,
    space: window.space,
    base: BigInt(window.range.base),
    size: BigInt(window.range.size),
    regions: window.regions.map((region) => ({
      owner: region.owner,
      base: BigInt(region.range.base),
      size: BigInt(region.range.size),
      decoding: region.decoding,
      engine: region.engine,
      reads: region.reads,
      writes: region.writes,
    })),
  }));
  for (const memory of map.memory) {
    const base = BigInt(memory.range.base);
    const bytes = BigInt(memory.range.size);
    found.push({
      name: memory.kind.toLowerCase(),
      space: 'memory',
      base,
      size: bytes,
      regions: [{ owner: memory.kind === 'RAM' ? 'guest memory' : memory.kind, base, size: bytes, decoding: true, memory: true }],
    });
  }
  const rank = (lane) => (lane.space === 'io' ? 1 : 0);
  return found.sort((a, b) => rank(a) - rank(b) || (a.base < b.base ? -1 : 1));
}

// Where each region of a lane goes: gaps have one width, regions share what is left by the
// logarithm of their sizes, and none is narrower than can be seen.
function placed(lane) {
  const room = WIDTH - LABEL - 12;
  const parts = [];
  let at = lane.base;
  for (const region of [...lane.regions].sort((a, b) => (a.base < b.base ? -1 : 1))) {
    if (region.base > at) {
      parts.push({ gap: region.base - at });
    }
    parts.push({ region });
    at = region.base + region.size;
  }
  if (at < lane.base + lane.size) {
    parts.push({ gap: lane.base + lane.size - at, last: true });
  }
  const weight = (part) => Math.max(1, Math.log2(Number(part.region.size)) - 2);
  const claimed = parts.filter((part) => part.region);
  const gaps = parts.filter((part) => part.gap).length;
  const total = claimed.reduce((sum, part) => sum + weight(part), 0);
  const free = room - gaps * GAP;
  const weights = Math.max(0, free - claimed.length * NARROWEST);
  const unit = Math.min(9, weights / Math.max(1, total));
  let x = LABEL;
  for (const part of parts) {
    part.x = x;
    part.width = part.region ? (part.region.memory ? free : NARROWEST + weight(part) * unit) : GAP;
    x += part.width;
  }
  const last = parts[parts.length - 1];
  if (last?.last) {
    last.width = Math.max(GAP, LABEL + room - last.x);
  }
  return { parts, end: Math.max(LABEL + room, x) };
}

function fitted(text, width) {
  const most = Math.floor((width - 8) / 6.6);
  return text.length <= most ? text : most < 2 ? '' : text.slice(0, most - 1) + '…';
}

// What an owner has claimed twice is a BAR that the guest is moving: its old place is kept, without
// decoding, until the move is whole. The place that decodes is the BAR.
function reserves(all) {
  const owners = new Map();
  for (const region of all.flatMap((lane) => lane.regions)) {
    owners.set(region.owner, [...(owners.get(region.owner) ?? []), region]);
  }
  const kept = new Set();
  for (const regions of owners.values()) {
    const first = regions.find((region) => region.decoding) ?? regions[0];
    regions.filter((region) => region !== first).forEach((region) => kept.add(region));
  }
  return kept;
}

export class MapPicture {
  /**
   * @param element the picture's place
   * @param pointed told what is pointed at, as text
   */
  constructor(element, pointed) {
    this.pointed = pointed;
    this.svg = make('svg', { role: 'img', 'aria-label': 'Address map of the machine' }, element);
    this.back = make('g', {}, this.svg);
    this.front = make('g', {}, this.svg);
    this.regions = new Map();
  }

  /**
   * @param map as the machine tells it
   * @param colour of an owner: a CSS colour
   */
  draw(map, colour) {
    const all = lanes(map);
    const height = all.length * LANE + 6;
    this.back.replaceChildren();
    const seen = new Set();
    this.kept = reserves(all);
    let right = WIDTH;
    all.forEach((lane, index) => {
      const { parts, end } = placed(lane);
      right = Math.max(right, end + 12);
      this.lane(lane, parts, end, index * LANE);
      for (const part of parts.filter((each) => each.region)) {
        this.region(lane, part, index * LANE, colour, seen);
      }
    });
    this.svg.setAttribute('viewBox', `0 0 ${right} ${height}`);
    for (const [key, node] of this.regions) {
      if (!seen.has(key)) {
        node.remove();
        this.regions.delete(key);
      }
    }
  }

  lane(lane, parts, end, y) {
    make('text', { x: 0, y: y + 20, class: 'lane' }, this.back).textContent = lane.name;
    make('text', { x: 0, y: y + 35, class: 'soft' }, this.back).textContent = `${size(lane.size)} ${lane.space}`;
    make('rect', { x: LABEL, y: y + 4, width: end - LABEL, height: BOX, rx: 5, class: 'window' }, this.back);
    for (const part of parts.filter((each) => each.gap)) {
      const middle = part.x + part.width / 2;
      if (part.width < 90) {
        make('line', { x1: middle, x2: middle, y1: y + 8, y2: y + BOX, class: 'break' }, this.back);
      } else {
        const free = make('text', { x: middle, y: y + 25, class: 'soft', 'text-anchor': 'middle' }, this.back);
        free.textContent = `${size(part.gap)} free`;
      }
    }
    make('text', { x: LABEL, y: y + BOX + 17, class: 'soft' }, this.back).textContent = hex(lane.base);
    const last = make('text', { x: end, y: y + BOX + 17, class: 'soft', 'text-anchor': 'end' }, this.back);
    last.textContent = hex(lane.base + lane.size - 1n);
  }

  // A region keeps its element while its owner has it, so that it is seen to move.
  region(lane, part, y, colour, seen) {
    const region = part.region;
    const kept = this.kept.has(region);
    let key = kept ? `${region.owner} kept` : region.owner;
    for (let n = 2; seen.has(key); n++) {
      key = `${region.owner} #${n}`;
    }
    seen.add(key);
    let node = this.regions.get(key);
    if (!node) {
      node = make('g', { class: 'region', tabindex: 0 }, this.front);
      make('title', {}, node);
      make('rect', { height: BOX - 4, rx: 4 }, node);
      make('text', { x: 6, y: 14 }, node);
      make('text', { x: 6, y: 26, class: 'soft' }, node);
      for (const event of ['pointerenter', 'focus']) {
        node.addEventListener(event, () => this.pointed(node.querySelector('title').textContent));
      }
      this.regions.set(key, node);
    }
    const base = hex(region.base);
    const known = node.dataset.base;
    if (known !== undefined && known !== base) {
      node.classList.remove('fresh');
      node.getBoundingClientRect();
      node.classList.add('fresh');
    }
    node.dataset.owner = region.owner;
    node.dataset.base = base;
    node.dataset.window = lane.name;
    node.classList.toggle('off', !region.decoding);
    node.classList.toggle('kept', kept);
    node.style.transform = `translate(${part.x}px, ${y + 6}px)`;
    const [title, rect, name, where] = node.children;
    rect.setAttribute('width', part.width - 2);
    rect.style.fill = region.memory ? 'var(--ram)' : colour(region.owner);
    name.textContent = fitted(region.owner, part.width);
    where.textContent = fitted(base, part.width);
    title.textContent =
      `${region.owner}: ${base} to ${hex(region.base + region.size - 1n)}, ${size(region.size)} in ${lane.name}` +
      (region.memory ? '' : region.engine ? ', answered by the engine' : `, ${region.reads} reads, ${region.writes} writes`) +
      (region.decoding ? '' : kept ? ', kept in case the guest moves the BAR back' : ', decoding off');
  }
}
