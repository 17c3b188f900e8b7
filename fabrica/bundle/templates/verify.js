"use strict";
// Checks a bundle with nothing but the browser: WebCrypto for Ed25519 and SHA-256. The rules are those of verify.py.
const ATTESTATION = "attestation.dsse.json", PAYLOAD = "application/vnd.in-toto+json";
const STATEMENT = "https://in-toto.io/Statement/v1", PREDICATE = "urn:fabrica:release:";
const NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?(?:\/[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?){0,3}$/;
const WHOLE = 1 << 26, STEP = 1 << 22;  // bytes: files up to WHOLE are digested at once
class Broken extends Error {}
class Unchecked extends Error {} // the keys that were given are none: of the bundle nothing is known
const by = (id) => document.getElementById(id);
const say = (condition, words) => { if (!condition) throw new Broken(words); };

function canonical(value) {
  if (Array.isArray(value)) return "[" + value.map(canonical).join(",") + "]";
  if (value && typeof value === "object") {
    return "{" + Object.keys(value).sort().map((k) => JSON.stringify(k) + ":" + canonical(value[k])).join(",") + "}";
  }
  say(typeof value !== "number" || Number.isSafeInteger(value), "a number in what was signed is not whole");
  return JSON.stringify(value);
}

function utf8(bytes, where) {
  try { return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes); } catch { throw new Broken(where + " is not text in UTF-8"); }
}

function parsed(text, where) {
  try { return JSON.parse(text); } catch { throw new Broken(where + " is not JSON"); }
}

// JSON.parse takes the last of two equal names; here an object in which one stands twice is refused
function once(text, where) {
  const value = parsed(text, where), open = [];
  let before = null;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}:]/g)) {
    if (token === "{") open.push(new Set());
    else if (token === "}") open.pop();
    else if (token === ":") {
      const names = open[open.length - 1], name = JSON.parse(before);
      say(!names.has(name), `${where}: '${name}' stands twice in one object`);
      names.add(name);
    } else before = token;
  }
  return value;
}

function strict(text, where) {
  const value = parsed(text, where);
  say(canonical(value) === text, where + " is not written in the one canonical way: it was changed after it was signed");
  return value;
}

function unbase64(text, where) {
  let raw = "";
  try { raw = atob(text); } catch { /* said below */ }
  say(typeof text === "string" && raw && btoa(raw) === text, where + " is not base64 in its canonical form");
  return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

const hex = (bytes) => Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, "0")).join("");

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return whole;
}

function pae(kind, payload) {
  const text = new TextEncoder(), name = text.encode(kind);
  return joined([text.encode(`DSSEv1 ${name.length} `), name, text.encode(` ${payload.length} `), payload]);
}

// ---- SHA-256 in steps, for files that are too large to be held at once (FIPS 180-4)
const K = new Uint32Array(64);
for (let n = 0, p = 2; n < 64; p++) {
  let prime = true;
  for (let d = 2; d * d <= p; d++) if (p % d === 0) prime = false;
  if (prime) K[n++] = Math.floor((Math.cbrt(p) % 1) * 4294967296);
}
class Sha256 {
  constructor() {
    this.h = new Uint32Array([0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]);
    this.w = new Uint32Array(64); this.rest = new Uint8Array(0); this.size = 0;
  }
  block(b, at) {
    const w = this.w, h = this.h;
    for (let i = 0; i < 16; i++, at += 4) w[i] = b[at] << 24 | b[at + 1] << 16 | b[at + 2] << 8 | b[at + 3];
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15], y = w[i - 2];
      w[i] = w[i - 16] + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3) + w[i - 7] + ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10);
    }
    let [a, c, d, e, f, g, m, n] = h;
    for (let i = 0; i < 64; i++) {
      const s = n + ((f >>> 6 | f << 26) ^ (f >>> 11 | f << 21) ^ (f >>> 25 | f << 7)) + (f & g ^ ~f & m) + K[i] + w[i] | 0;
      const t = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & c ^ a & d ^ c & d) | 0;
      n = m; m = g; g = f; f = e + s | 0; e = d; d = c; c = a; a = s + t | 0;
    }
    h[0] += a; h[1] += c; h[2] += d; h[3] += e; h[4] += f; h[5] += g; h[6] += m; h[7] += n;
  }
  feed(bytes) {
    this.size += bytes.length;
    const all = this.rest.length ? joined([this.rest, bytes]) : bytes;
    let at = 0;
    for (; at + 64 <= all.length; at += 64) this.block(all, at);
    this.rest = all.slice(at);
  }
  end() {
    const bits = new DataView(new ArrayBuffer(8)), size = this.size;
    bits.setUint32(0, Math.floor(size / 536870912)); bits.setUint32(4, size * 8 % 4294967296);
    const pad = new Uint8Array((size % 64 < 56 ? 56 : 120) - size % 64);
    pad[0] = 128;
    this.feed(joined([pad, new Uint8Array(bits.buffer)]));
    return Array.from(this.h, (x) => x.toString(16).padStart(8, "0")).join("");
  }
}

async function digest(file, tell) {
  if (file.size <= WHOLE) return hex(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  const sha = new Sha256();
  for (let at = 0; at < file.size; at += STEP) {
    sha.feed(new Uint8Array(await file.slice(at, at + STEP).arrayBuffer()));
    tell(`${Math.round(100 * at / file.size)} % of ${file.name}`);
  }
  return sha.end();
}

// ---- the checks
async function keysOf(text) {
  const found = new Map();
  for (const [, body] of text.matchAll(/-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----/g)) {
    const der = unbase64(body.replace(/\s+/g, ""), "the key");
    let key;
    try { key = await crypto.subtle.importKey("spki", der, { name: "Ed25519" }, false, ["verify"]); } catch {
      throw new Unchecked("the key is of another kind than Ed25519, or this browser does not know Ed25519");
    }
    found.set(hex(await crypto.subtle.digest("SHA-256", der)), key);
  }
  if (/PRIVATE KEY-----/.test(text)) throw new Unchecked("this is a private key, which only its owner should hold: give the public one");
  if (!found.size) throw new Unchecked("give the public key first: the text between BEGIN PUBLIC KEY and END PUBLIC KEY");
  return found;
}

async function statementOf(bytes, keys) {
  const plain = strict(utf8(bytes, ATTESTATION), ATTESTATION);
  say(plain && canonical(Object.keys(plain)) === canonical(["payload", "payloadType", "signatures"]) && Array.isArray(plain.signatures), ATTESTATION + " is no envelope of a release");
  say(plain.payloadType === PAYLOAD, "the envelope holds another type of content than a statement");
  const payload = unbase64(plain.payload, "the payload"), names = [];
  for (const one of plain.signatures) {
    say(one && canonical(Object.keys(one).sort()) === '["keyid","sig"]' && typeof one.keyid === "string" && (!names.length || names[names.length - 1] < one.keyid), "the signatures are not written as they must be");
    names.push(one.keyid);
    say(keys.has(one.keyid), "is signed with another key than the one given (a bundle with several signatures needs all keys)");
    say(await crypto.subtle.verify({ name: "Ed25519" }, keys.get(one.keyid), unbase64(one.sig, "a signature"), pae(PAYLOAD, payload)),
      "the signature does not hold: what was signed, or the signature, was changed");
  }
  say(names.length === keys.size, "a key was given that has not signed");
  const said = strict(utf8(payload, "the payload"), "the payload");
  say(said && said.predicateType === PREDICATE + "1" || !String(said && said.predicateType).startsWith(PREDICATE), "the bundle was made by another version of fabrica");
  say(said && said._type === STATEMENT && said.predicateType === PREDICATE + "1" && Array.isArray(said.subject) && said.predicate, "the envelope holds no statement about a release");
  say(canonical(said.predicate.signers) === canonical(names), "the signatures are not those of the keys that the statement names");
  return said;
}

function differences(digests, files) {
  const found = [];
  for (const name of digests.keys()) if (!files.has(name)) found.push(`${name}: the file is missing`);
  for (const name of files.keys()) if (name !== ATTESTATION && !digests.has(name)) found.push(`${name}: nobody signed this file`);
  const lower = new Set();
  for (const name of files.keys()) {
    if (!NAME.test(name)) found.push(`${name}: no file of a bundle is called so`);
    if (lower.has(name.toLowerCase())) found.push(`${name}: differs from another in capitals only`);
    lower.add(name.toLowerCase());
  }
  return found;
}

function gateProblems(gate, claim) {
  const verdicts = gate.tests.map((t) => t.verdict), order = ["FAIL", "INCONCLUSIVE", "PASS"];
  const follows = order.find((v) => verdicts.includes(v)) || "INCONCLUSIVE", found = [];
  if (follows !== gate.verdict || gate.verdict !== claim.verdict) found.push("the verdict does not follow from the tests of the gate");
  for (const t of gate.tests) {
    if (t.verdict === "PASS" && typeof t.threshold === "number" && (t.high ?? t.value) > t.threshold) found.push(`test ${t.name} says PASS, and its bound is beyond its threshold`);
  }
  return found;
}

async function check(files, keyText, today, tell) {
  say(files.has(ATTESTATION), `this is no bundle: there is no ${ATTESTATION}`);
  const keys = await keysOf(keyText);
  const said = await statementOf(new Uint8Array(await files.get(ATTESTATION).arrayBuffer()), keys);
  const digests = new Map(said.subject.map((one) => [one.name, one.digest.sha256])), claim = said.predicate;
  const problems = differences(digests, files);
  for (const [name, wanted] of digests) {
    if (!files.has(name)) continue;
    tell(name);
    if (await digest(files.get(name), tell) !== wanted) problems.push(`${name}: was changed after it was signed`);
  }
  if (today > claim.expires) problems.push(`the release expired on ${claim.expires}`);
  if (!problems.length) problems.push(...gateProblems(once(utf8(await files.get("evidence/gate.json").arrayBuffer(), "gate.json"), "gate.json"), claim));
  return { claim, problems, count: digests.size };
}

// ---- page one
function pageOne(c) {
  const at = `policy ${c.policy} at tier ${c.tier}`;
  return [
    c.verdict === "PASS" ? `passed ${at} on these ${c.tests} tests` : `${c.verdict === "FAIL" ? "FAILED" : "is INCONCLUSIVE under"} ${at}; released without a pass, because: ${c.without_pass}`,
    `attempts at this gate: ${c.attempts}`, ...c.before.map((b) => `decided before about the same file: ${b}`),
    ...(c.beyond_tier ? [`told to everybody though it was judged at tier ${c.tier}, because: ${c.beyond_tier}`] : []),
    ...c.waivers.map((w) => `waiver: ${w}`),
    ...c.approvals.map((a) => `approval recorded by the signer: ${a.role}: ${a.name}`),
    `approvals: ${c.approvals_counted} (the policy asks for ${c.approvals_asked}), keys that signed: ${c.signers.length}; who approved is the word of ${c.signers.length === 1 ? "the one" : "all"} who signed`,
    `purpose: ${c.purpose || "not stated"}`, `recipients: ${c.recipients.join(", ") || "not stated"}`,
    `valid until ${c.expires}, made ${c.made}`,
    ...(c.data ? [`data: ${c.data}, ${c.rows} rows, ${c.columns} columns, all synthetic`] : []),
    `people: ${c.source}`, `likeness to the real rows: ${c.likeness}`,
    ...(c.model ? [`model: ${c.model}; whoever holds a model can find out more than from rows`] : []),
    c.epsilon ? `differential privacy: epsilon ${c.epsilon} at delta ${c.delta} for ${c.unit}` : "differential privacy: none is claimed",
    `profile ${c.profile}`, ...c.signers.map((s) => `signed with key ${s}`)];
}

function element(name, text, kind) {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function list(lines) {
  const made = document.createElement("ul");
  lines.forEach((line) => made.append(element("li", line)));
  return made;
}

function show(title, kind, problems, claim) {
  const card = element("div", "", "card verdict " + kind);
  card.append(element("div", title));
  const vouched = claim && !problems.length;  // what is only claimed is not shown
  if (vouched) card.append(element("div", "What was signed says: " + pageOne(claim)[0] + "."));
  if (problems.length) card.append(list(problems.slice(0, 20)));
  if (problems.length > 20) card.append(element("p", `and ${problems.length - 20} more`));
  by("result").replaceChildren(card);
  if (vouched) {
    const page = element("div", "", "card");
    page.append(element("h2", "Page one"), list(pageOne(claim).slice(1)));
    page.append(element("p", "Not checked here: the count of rows, and the epsilon of the ledger; 'fabrica verify' reckons them again.", "small soft"));
    by("result").append(page);
  }
}

let files = new Map();

function take(found) {
  const names = [...found.keys()], top = names.length ? names[0].split("/")[0] + "/" : "";
  const around = !found.has(ATTESTATION) && names.every((name) => name.startsWith(top));
  files = new Map(names.map((name) => [around ? name.slice(top.length) : name, found.get(name)]));
  by("chosen").textContent = `${files.size} files are chosen.`;
  by("go").disabled = false;
}

async function walk(entry, path, found) {
  if (entry.isFile) found.set(path, await new Promise((done, failed) => entry.file(done, failed)));
  else {
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((done, failed) => reader.readEntries(done, failed));
      if (!some.length) break;
      for (const one of some) await walk(one, `${path}/${one.name}`, found);
    }
  }
}

by("folder").addEventListener("change", (event) => take(new Map([...event.target.files].map((f) => [f.webkitRelativePath || f.name, f]))));
by("key-file").addEventListener("change", async (event) => {
  by("key").value = (await Promise.all([...event.target.files].map((f) => f.text()))).join("\n");
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => { event.preventDefault(); by("drop").classList.toggle("over", kind === "dragover"); });
}
document.addEventListener("drop", async (event) => {
  const found = new Map(), entries = [...event.dataTransfer.items].map((i) => i.webkitGetAsEntry()).filter(Boolean);
  for (const entry of entries) {
    if (entry.isFile && entry.name.endsWith(".pem")) by("key").value += await (await new Promise((done, failed) => entry.file(done, failed))).text();
    else await walk(entry, entry.name, found);
  }
  if (found.size) take(found);
});
by("go").addEventListener("click", async () => {
  by("go").disabled = true;
  try {
    const now = new Date(), today = `${now.getUTCFullYear()}-${String(now.getUTCMonth() + 1).padStart(2, "0")}-${String(now.getUTCDate()).padStart(2, "0")}`;
    const { claim, problems, count } = await check(files, by("key").value, today, (words) => { by("progress").textContent = words; });
    if (problems.length) show("This bundle does not hold.", "off", problems, claim);
    else show(`Holds: the signature, and every byte of ${count} files.`, claim.verdict === "PASS" ? "good" : "near", [], claim);
  } catch (error) {
    const known = error instanceof Broken || error instanceof Unchecked ? error.message : "it cannot be read as a bundle";
    if (error instanceof Unchecked) show("This bundle cannot be checked.", "near", [known], null);
    else show("This bundle does not hold.", "off", [known], null);
  }
  by("progress").textContent = "";
  by("go").disabled = false;
});
(async () => {
  try {
    await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
  } catch {
    by("cannot").hidden = false;
    by("cannot").textContent = "This browser cannot check Ed25519 signatures. Use a current Chrome, Edge, Firefox or Safari, or verify.py.";
  }
})();
