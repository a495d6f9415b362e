import { MapPicture, size } from './map.js';

const PERIOD = 1000;
const SAMPLES = 60;
const HUES = [212, 28, 150, 280, 350, 90, 185, 45, 320, 240];

const id = (name) => document.getElementById(name);
const picture = new MapPicture(id('map'), (text) => (id('pointed').textContent = text));
const sparks = new Map();
let before = null;
let latest = null;

// --- Colours ------------------------------------------------------------------------------------

const hues = new Map();

// The slot that an owner of a region is, or is a part of.
function slotOf(owner) {
  return latest.slots.find((slot) => owner === slot.name || owner.startsWith(slot.name + ' '))?.name;
}

function slotColour(slot) {
  if (!hues.has(slot)) {
    hues.set(slot, HUES[hues.size % HUES.length]);
  }
  const hue = hues.get(slot);
  return `light-dark(hsl(${hue} 70% 76%), hsl(${hue} 45% 38%))`;
}

const colour = (owner) => (slotOf(owner) ? slotColour(slotOf(owner)) : 'var(--board)');

// --- Numbers ------------------------------------------------------------------------------------

function short(n) {
  for (const [limit, unit] of [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']]) {
    if (n >= limit) {
      return (n / limit).toFixed(n / limit < 10 ? 2 : 1) + unit;
    }
  }
  return n === 0 ? '0' : n < 10 ? n.toFixed(1) : Math.round(n).toString();
}

function duration(seconds) {
  const s = Math.floor(seconds);
  const two = (n) => String(n).padStart(2, '0');
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

function took(seconds) {
  return seconds === 0 ? '' : seconds < 1e-3 ? `${(seconds * 1e6).toFixed(0)} µs` : seconds < 1 ? `${(seconds * 1e3).toFixed(1)} ms` : `${seconds.toFixed(2)} s`;
}

// --- Talking to the machine ---------------------------------------------------------------------

class Refusal extends Error {}

async function ask(part, options = {}) {
  const response = await fetch(`backplane/${part}`, {
    ...options,
    redirect: 'manual',
    headers: { 'X-Backplane': '1', Accept: 'application/json', ...options.headers },
  });
  if (response.status === 401 || response.type === 'opaqueredirect') {
    location.href = '/login';
    throw new Refusal('Log in again.');
  }
  const kind = response.headers.get('Content-Type') ?? '';
  const said = kind.startsWith('application/json') ? await response.json() : null;
  if (!response.ok || said === null) {
    throw new Refusal(said?.error ?? `The server answered ${response.status}.`);
  }
  return said;
}

const post = (part, fields) => ask(part, { method: 'POST', body: new URLSearchParams(fields) });

function wrong(sentence) {
  id('wrong').hidden = !sentence;
  id('wrong').querySelector('p').textContent = sentence;
}

let quiet;
function tell(sentence) {
  id('told').textContent = sentence;
  clearTimeout(quiet);
  quiet = setTimeout(() => (id('told').textContent = ''), 6000);
}

async function operate(part, fields) {
  try {
    tell((await post(part, fields)).message);
    await refresh();
  } catch (refusal) {
    wrong(refusal.message);
  }
}

// --- Elements -----------------------------------------------------------------------------------

function el(name, properties = {}, ...children) {
  const node = document.createElement(name);
  Object.assign(node, properties);
  node.append(...children);
  return node;
}

const cell = (text, className = '') => el('td', { className, textContent: text });

function badge(state) {
  return el('span', { className: `badge ${state}`, textContent: state });
}

// Rows are kept by name, so that a button does not go away under the pointer.
function rows(table, items, key, make, update) {
  const body = table.tBodies[0];
  const there = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  items.forEach((item, index) => {
    const name = String(key(item));
    let row = there.get(name);
    there.delete(name);
    if (!row) {
      row = make(item);
      row.dataset.key = name;
    }
    if (body.rows[index] !== row) {
      body.insertBefore(row, body.rows[index] ?? null);
    }
    update(row, item);
  });
  there.forEach((row) => row.remove());
}

// --- The page's parts ---------------------------------------------------------------------------

function facts(machine) {
  id('name').textContent = machine.name;
  document.title = `${machine.name}: Backplane`;
  id('state').textContent = machine.state;
  id('state').className = `badge ${machine.state}`;
  id('pause').textContent = machine.state === 'paused' ? 'Resume' : 'Pause';
  id('pause').disabled = machine.state !== 'paused' && machine.state !== 'running';
  const told = {
    engine: `${machine.engine} (${machine.board})`,
    processors: machine.vcpus,
    memory: size(machine.memory),
    'guest time': duration(machine.guestTime),
    boots: machine.boots,
  };
  id('facts').replaceChildren(
    ...Object.entries(told).map(([name, value]) => el('div', {}, el('dt', { textContent: name }), el('dd', { textContent: value }))),
  );
}

function spark(slot, value) {
  const values = sparks.get(slot) ?? [];
  values.push(value);
  if (values.length > SAMPLES) {
    values.shift();
  }
  sparks.set(slot, values);
  const most = Math.max(...values, 1);
  return values
    .map((v, i) => `${i === 0 ? 'M' : 'L'}${(((SAMPLES - values.length + i) / (SAMPLES - 1)) * 94 + 1).toFixed(1)} ${(22 - (v / most) * 20).toFixed(1)}`)
    .join('');
}

function slotRow(slot) {
  const row = el('tr');
  const name = el('button', { type: 'button', className: 'link', textContent: slot.name, title: 'History' });
  name.addEventListener('click', () => showHistory(slot.name));
  const swatch = el('span', { className: 'swatch' });
  swatch.style.background = slotColour(slot.name);
  const first = el('td', {}, swatch, name);
  const graph = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  graph.setAttribute('class', 'spark');
  graph.setAttribute('viewBox', '0 0 96 24');
  graph.setAttribute('role', 'img');
  graph.append(document.createElementNS('http://www.w3.org/2000/svg', 'path'));
  const swap = el('button', { type: 'button', textContent: 'Swap…' });
  swap.addEventListener('click', () => openSwap(slot.name));
  const unplug = el('button', { type: 'button', textContent: 'Unplug…' });
  unplug.addEventListener('click', () => openUnplug(slot.name));
  const accept = el('button', { type: 'button', textContent: 'Accept', className: 'accept' });
  accept.addEventListener('click', () => operate('accept', { slot: slot.name }));
  row.append(first, cell(slot.kind), el('td', { className: 'state' }), cell('', 'bundle'), cell('', 'pci'));
  for (const field of ['exits', 'doorbells', 'interrupts', 'requests', 'bytesRead', 'bytesWritten']) {
    row.append(cell('', `n ${field}`));
  }
  const link = el('button', { type: 'button', className: 'link-state' });
  link.addEventListener('click', () => operate('link', { slot: slot.name, up: latest.links[slot.name] === 'down' }));
  row.append(el('td', {}, graph), el('td', {}, el('div', { className: 'actions' }, swap, accept, link, unplug)));
  return row;
}

function withRates(state) {
  const seconds = before ? (state.counters.time - before.counters.time) / 1e9 : 0;
  const earlier = new Map((before?.counters.slots ?? []).map((slot) => [slot.slot, slot]));
  return new Map(
    state.counters.slots.map((slot) => {
      const now = { ...slot, exits: slot.registerReads + slot.registerWrites };
      const then = earlier.get(slot.slot);
      const rate = (field) => {
        if (!then || seconds <= 0) {
          return 0;
        }
        const was = field === 'exits' ? then.registerReads + then.registerWrites : then[field];
        return Math.max(0, (now[field] - was) / seconds);
      };
      return [slot.slot, { now, rate }];
    }),
  );
}

function slots(state) {
  const counters = withRates(state);
  rows(id('slots'), state.slots, (slot) => slot.name, slotRow, (row, slot) => {
    row.dataset.state = slot.state;
    row.querySelector('.state').replaceChildren(badge(slot.state), ...(slot.detail ? [el('span', { className: 'said', textContent: slot.detail })] : []));
    row.querySelector('.bundle').textContent = slot.bundle ? `${slot.bundle.replace(/^org\.backplane\.(device\.)?/, '')} ${slot.version}` : '';
    row.querySelector('.bundle').title = slot.bundle ? `${slot.bundle} ${slot.version}, bundle ${slot.bundleId}` : '';
    row.querySelector('.pci').textContent = slot.address;
    row.querySelector('.accept').hidden = !slot.detail.startsWith('on probation');
    const link = row.querySelector('.link-state');
    link.hidden = !(slot.name in state.links);
    link.textContent = state.links[slot.name] === 'down' ? 'Link up' : 'Link down';
    const count = counters.get(slot.name);
    if (!count) {
      return;
    }
    for (const field of ['exits', 'doorbells', 'interrupts', 'requests', 'bytesRead', 'bytesWritten']) {
      const at = row.querySelector(`.${field}`);
      at.textContent = short(count.rate(field));
      at.dataset.total = count.now[field];
      at.title = `${count.now[field].toLocaleString()} in all`;
    }
    const path = spark(slot.name, count.rate('exits') + count.rate('doorbells'));
    row.querySelector('.spark path').setAttribute('d', path);
    row.querySelector('.spark').setAttribute('aria-label', `accesses and doorbells of ${slot.name} in the last minute`);
  });
}

function vcpus(state) {
  const seconds = before ? (state.counters.time - before.counters.time) / 1e9 : 0;
  rows(
    id('vcpus'),
    state.counters.vcpus,
    (vcpu) => vcpu.index,
    (vcpu) => el('tr', {}, cell(`vcpu${vcpu.index}`), cell('', 'n ips'), cell('', 'n exits'), cell('', 'n all')),
    (row, vcpu) => {
      const then = before?.counters.vcpus.find((each) => each.index === vcpu.index);
      const rate = (field) => (then && seconds > 0 ? short(Math.max(0, (vcpu[field] - then[field]) / seconds)) : '0');
      row.querySelector('.ips').textContent = rate('instructions');
      row.querySelector('.exits').textContent = rate('exits');
      row.querySelector('.all').textContent = short(vcpu.instructions);
    },
  );
}

function functions(state) {
  rows(
    id('functions'),
    state.functions,
    (one) => one.address,
    () => el('tr', {}, cell(''), cell(''), cell(''), cell(''), cell('', 'detail')),
    (row, one) => {
      const [address, slot, device, msix, bars] = row.cells;
      const id4 = (n) => n.toString(16).padStart(4, '0');
      address.textContent = one.address;
      slot.textContent = one.slot;
      device.textContent = `${id4(one.vendorId)}:${id4(one.deviceId)}`;
      msix.textContent = one.msixVectors ? `${one.msixVectors} vectors, ${one.msixEnabled ? 'on' : 'off'}` : 'none';
      bars.textContent = one.bars
        .map((bar) => `${bar.index}: ${bar.base ?? 'unplaced'} ${size(bar.size)} ${bar.kind}${bar.decoding ? '' : ', off'}`)
        .join('; ');
    },
  );
}

function show(state) {
  latest = state;
  facts(state.machine);
  picture.draw(state.map, colour);
  slots(state);
  vcpus(state);
  functions(state);
  before = state;
}

let reading = null;
async function refresh() {
  reading ??= ask('state').finally(() => (reading = null));
  show(await reading);
}

async function watch() {
  if (!document.hidden) {
    try {
      await refresh();
      if (id('wrong').dataset.lost) {
        delete id('wrong').dataset.lost;
        wrong('');
      }
    } catch (failure) {
      id('wrong').dataset.lost = 'yes';
      wrong(failure instanceof Refusal ? failure.message : 'The machine does not answer; it may have ended.');
    }
  }
  setTimeout(watch, PERIOD);
}

// --- Dialogs ------------------------------------------------------------------------------------

function dialog(name, submit) {
  const node = id(name);
  const form = node.querySelector('form');
  node.querySelector('.cancel')?.addEventListener('click', () => node.close());
  form.addEventListener('submit', async (event) => {
    if (!submit) {
      return;
    }
    event.preventDefault();
    const button = form.querySelector('.main');
    const sentence = form.querySelector('.sentence');
    sentence.textContent = '';
    button.disabled = true;
    try {
      tell((await submit(form.elements, node.dataset.slot)).message);
      node.close();
      await refresh();
    } catch (refusal) {
      sentence.textContent = refusal.message;
    } finally {
      button.disabled = false;
    }
  });
  return (slot) => {
    form.reset();
    node.dataset.slot = slot ?? '';
    node.querySelectorAll('.slot').forEach((each) => (each.textContent = slot));
    const sentence = form.querySelector('.sentence');
    if (sentence) {
      sentence.textContent = '';
    }
    node.showModal();
    return form.elements;
  };
}

const choices = (select, values) => select.replaceChildren(...values.map((value) => el('option', { value, textContent: value })));

const plugDialog = dialog('plug-dialog', (fields) =>
  post('plug', { name: fields.name.value, kind: fields.kind.value, settings: fields.settings.value }),
);
const swapDialog = dialog('swap-dialog', (fields, slot) => {
  const force = fields.force.checked;
  const jar = fields.jar.files[0];
  if (!jar) {
    return post('swap', { slot, version: fields.version.value, force });
  }
  return ask(`upload?${new URLSearchParams({ slot, force })}`, {
    method: 'POST',
    body: jar,
    headers: { 'Content-Type': 'application/java-archive' },
  });
});
const unplugDialog = dialog('unplug-dialog', (fields, slot) => post('unplug', { slot, force: fields.force.checked }));
const historyDialog = dialog('history-dialog', null);

function openPlug() {
  const fields = plugDialog();
  choices(fields.kind, latest.kinds);
}

function openSwap(name) {
  const slot = latest.slots.find((each) => each.name === name);
  const fields = swapDialog(name);
  choices(fields.version, ['latest', ...(latest.versions[slot.kind] ?? [])]);
}

const openUnplug = (name) => unplugDialog(name);

async function showHistory(name) {
  try {
    const entries = await ask(`history?${new URLSearchParams({ slot: name })}`);
    historyDialog(name);
    id('history-dialog').querySelector('tbody').replaceChildren(
      ...entries.reverse().map((entry) =>
        el('tr', {}, cell(new Date(entry.at).toLocaleTimeString()), cell(entry.step), cell(took(entry.took), 'n'), cell(entry.detail, 'detail')),
      ),
    );
  } catch (refusal) {
    wrong(refusal.message);
  }
}

id('plug').addEventListener('click', openPlug);
id('pause').addEventListener('click', () => operate(latest.machine.state === 'paused' ? 'resume' : 'pause', {}));
id('wrong').querySelector('button').addEventListener('click', () => wrong(''));
document.addEventListener('visibilitychange', () => !document.hidden && refresh().catch(() => {}));
watch();
