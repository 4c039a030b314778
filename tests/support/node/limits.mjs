// What the Node SDK makes of refusals, by its own words and waits. Asks as the names of the arguments
// say, one after another, and prints as JSON what became of each.
import OpenAI from "openai";

const client = new OpenAI({ maxRetries: 2 });

const bodies = {
  small: { messages: [{ role: "user", content: "Say hello." }] },
  large: { messages: [{ role: "user", content: "Say hello." }], max_completion_tokens: 1_000_000 },
};

const asked = async (name) => {
  const began = performance.now();
  const waited = () => Math.round(performance.now() - began);
  try {
    const answer = await client.chat.completions.create({ model: "gpt-6-luna", ...bodies[name] });
    return { text: answer.choices[0].message.content, waited_ms: waited() };
  } catch (error) {
    const { status, code, type, message } = error;
    return { name: error.constructor.name, status, code, type, message, waited_ms: waited() };
  }
};

const told = [];
for (const name of process.argv.slice(2)) told.push(await asked(name));
console.log(JSON.stringify(told));
