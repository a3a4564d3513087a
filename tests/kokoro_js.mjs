// What kokoro-js makes of phonemes with an exported folder:
//   node --input-type=module -e "$(cat kokoro_js.mjs)" FOLDER VOICE PHONEMES OUT
// in a folder with node_modules/kokoro-js. kokoro-js knows its voices by a list, and generate()
// refuses others; generate_from_ids() does not, and takes a path from its own folder of voices.
import fs from "fs";
import path from "path";
import url from "url";
import { env } from "@huggingface/transformers";
import { KokoroTTS } from "kokoro-js";

const [folder, voice, phonemes, out] = process.argv.slice(1);
env.allowRemoteModels = false;
env.localModelPath = path.dirname(folder) + "/";
const tts = await KokoroTTS.from_pretrained(path.basename(folder), { dtype: "fp32", device: "cpu" });
const { input_ids } = tts.tokenizer(phonemes, { truncation: true });
const main = url.fileURLToPath(import.meta.resolve("kokoro-js"));
const voices = path.join(path.dirname(main), "../voices");
const style = path.relative(voices, path.join(folder, "voices", voice));
const { audio } = await tts.generate_from_ids(input_ids, { voice: style });
fs.writeFileSync(out, Buffer.from(audio.buffer, audio.byteOffset, audio.byteLength));
