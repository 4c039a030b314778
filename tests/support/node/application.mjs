// An ordinary application on the Node SDK: it knows nothing of a proxy. Prints what it saw as JSON.
import OpenAI, { toFile } from "openai";

const client = new OpenAI({ maxRetries: 2 });
const model = "gpt-6-luna";

const ask = (content, options = {}) =>
  client.chat.completions.create({ model, messages: [{ role: "user", content }], ...options });

const whole = await ask("Say hello.");

let streamed = "";
for await (const chunk of await ask("Say hello.", { stream: true })) {
  streamed += chunk.choices[0]?.delta?.content ?? "";
}

const lines = "{}\n".repeat(1000);
const file = await client.files.create({
  file: await toFile(Buffer.from(lines), "calls.jsonl"),
  purpose: "batch",
});
const content = await (await client.files.content(file.id)).text();

const refused = await ask(process.env.OPENAI_API_KEY).catch((error) => error);

console.log(
  JSON.stringify({
    whole: whole.choices[0].message.content,
    streamed,
    file: file.filename,
    content: content === lines,
    refused: [refused.constructor.name, refused.status, refused.code],
  }),
);
