"use strict";
const RATE = 24000;
const find = (id) => document.getElementById(id);
const audio = find("audio");
let spoken = [];   // the words that were spoken, in order
let given = [];    // the characters of the text, into which their places point
let chosen = -1;   // the word whose phonemes are shown
let running = null;

async function start() {
  const answer = await fetch("v1/audio/voices");
  for (const name of (await answer.json()).voices) find("voice").add(new Option(name));
}

function say(message, wrong = false) {
  find("status").textContent = message;
  find("status").classList.toggle("error", wrong);
}

// The message of a refusal: one line, or the first of pydantic's.
async function complaint(answer) {
  const { detail } = await answer.json();
  return typeof detail === "string" ? detail : `${detail[0].loc.at(-1)}: ${detail[0].msg}`;
}

async function* lines(answer) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of parts(answer.body.getReader())) {
    const found = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = found.pop();
    yield* found.map(JSON.parse);
  }
}

async function* parts(reader) {
  for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
}

async function speak(event) {
  event?.preventDefault();
  const text = find("text").value;
  const headers = { "Content-Type": "application/json" };
  if (find("key").value) headers.Authorization = `Bearer ${find("key").value}`;
  running?.abort();
  running = new AbortController();
  busy(true);
  say("Speaking …");
  try {
    const answer = await fetch("v1/audio/speech/timestamps", {
      method: "POST",
      headers,
      signal: running.signal,
      body: JSON.stringify({
        input: text, voice: find("voice").value, speed: Number(find("speed").value),
      }),
    });
    if (answer.status === 401) find("key-field").hidden = false;
    if (!answer.ok) throw new Error(await complaint(answer));
    const samples = [], words = [], phonemes = [];
    let total = 0;
    for await (const chunk of lines(answer)) {
      const bytes = Uint8Array.from(atob(chunk.audio), (c) => c.charCodeAt(0));
      samples.push(bytes);
      words.push(...chunk.words);
      if (chunk.phonemes) phonemes.push(chunk.phonemes);
      total += bytes.length;
      say(`Speaking … ${(total / 2 / RATE).toFixed(1)} s`);
    }
    if (!words.length) throw new Error("Nothing in this text can be spoken.");
    [spoken, given] = [words, [...text]];
    show(new Blob([header(total), ...samples], { type: "audio/wav" }), phonemes);
    say(`${(total / 2 / RATE).toFixed(1)} s`);
    audio.play().catch(() => say("Press play."));
  } catch (error) {
    if (error.name === "AbortError") say("Stopped.");
    else say(error.message, true);
  } finally {
    busy(false);
  }
}

function busy(is) {
  find("speak").disabled = is;
  find("stop").hidden = !is;
}

// The header of a WAV file: 24 kHz, mono, 16 bits.
function header(bytes) {
  const view = new DataView(new ArrayBuffer(44));
  const write = (at, text) => [...text].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  write(0, "RIFF");
  view.setUint32(4, 36 + bytes, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, bytes, true);
  return view.buffer;
}

function show(sound, phonemes) {
  link(audio, "src", sound);
  link(find("wav"), "href", sound);
  link(find("srt"), "href", new Blob([subtitles(",", "")], { type: "text/plain" }));
  link(find("vtt"), "href", new Blob([subtitles(".", "WEBVTT\n\n")], { type: "text/vtt" }));
  find("all-phonemes").textContent = phonemes.join("\n");
  find("words").replaceChildren(...spoken.flatMap(wordButton));
  find("correction").hidden = true;
  find("result").hidden = false;
  chosen = -1;
}

function link(element, attribute, blob) {
  if (element[attribute].startsWith("blob:")) URL.revokeObjectURL(element[attribute]);
  element[attribute] = URL.createObjectURL(blob);
}

function wordButton(word, index) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = word.text;
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => choose(index));
  return [button, document.createTextNode(word.following.trimEnd() + " ")];
}

function subtitles(mark, before) {
  const clock = (seconds) =>
    new Date(Math.round(seconds * 1000)).toISOString().slice(11, 23).replace(".", mark);
  const cues = [];
  for (const word of spoken) {
    const last = cues.at(-1);
    const text = word.text + word.following.trimEnd();
    if (last && last.text.length + text.length < 42 && !/[.!?]$/.test(last.text)) {
      last.text += ` ${text}`;
      last.end = word.end;
    } else {
      cues.push({ text, start: word.start, end: word.end });
    }
  }
  const written = cues.map(
    (cue, i) => `${i + 1}\n${clock(cue.start)} --> ${clock(cue.end)}\n${cue.text}\n`,
  );
  return before + written.join("\n");
}

function choose(index) {
  chosen = index;
  audio.currentTime = spoken[index].start;
  buttons().forEach((b, i) => b.setAttribute("aria-pressed", String(i === index)));
  find("corrected").textContent = spoken[index].text;
  find("phonemes").value = spoken[index].phonemes;
  find("correction").hidden = false;
}

const buttons = () => [...find("words").querySelectorAll("button")];

// Puts [word](/phonemes/) into the text, in place of the word or of an earlier correction.
function correct(event) {
  event.preventDefault();
  let [start, end] = spoken[chosen].place;
  const part = (from, to) => given.slice(from, to).join("");
  const word = part(start, end);
  const rest = /^\]\(\/[^/\n]*\/\)/.exec(part(end));
  if (rest && given[start - 1] === "[") [start, end] = [start - 1, end + [...rest[0]].length];
  const written = `[${word}](/${find("phonemes").value.trim()}/)`;
  find("text").value = part(0, start) + written + part(end);
  speak();
}

function light() {
  const now = audio.currentTime;
  const lit = spoken.findLastIndex((word) => word.start <= now);
  buttons().forEach((button, i) => {
    const on = i === lit && now < spoken[i].end + 0.1;
    if (on === button.hasAttribute("aria-current")) return;
    if (on) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  });
  if (!audio.paused) requestAnimationFrame(light);
}

audio.addEventListener("play", light);
audio.addEventListener("seeked", light);
find("form").addEventListener("submit", speak);
find("correction").addEventListener("submit", correct);
find("stop").addEventListener("click", () => running.abort());
find("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) speak(event);
});
find("speed").addEventListener("input", () => {
  find("shown-speed").value = Number(find("speed").value).toFixed(1);
});
start().catch((error) => say(error.message, true));
