"""Keys of model providers and of the tools around them."""

from typing import Final

from tests.leaks.kind import Kind, assigned, bare

MARK: Final = "T3Blb" + "kFJ"  # base64 of OpenAI: the middle of its keys
SK: Final = "s" + "k-"

OPENAI: Final = (
    ("openai-project", f"{SK}proj-{{w:74}}{MARK}{{w:74}}"),
    ("openai-project-58", f"{SK}proj-{{w:58}}{MARK}{{w:58}}"),
    ("openai-project-20", f"{SK}proj-{{a:20}}{MARK}{{a:20}}"),
    ("openai-service", f"{SK}svcacct-{{w:74}}{MARK}{{w:74}}"),
    ("openai-service-58", f"{SK}svcacct-{{w:58}}{MARK}{{w:58}}"),
    ("openai-admin", f"{SK}admin-{{w:74}}{MARK}{{w:74}}"),
    ("openai-admin-58", f"{SK}admin-{{w:58}}{MARK}{{w:58}}"),
    ("openai-legacy", f"{SK}{{a:20}}{MARK}{{a:20}}"),
    ("openai-session", "sess-{a:40}"),
)
OTHERS: Final = (
    ("anthropic-api", f"{SK}ant-api03-{{w:93}}AA"),
    ("anthropic-admin", f"{SK}ant-admin01-{{w:93}}AA"),
    ("anthropic-oauth", f"{SK}ant-oat01-{{w:93}}AA"),
    ("anthropic-session", f"{SK}ant-sid01-{{w:93}}AA"),
    ("huggingface-user", "hf_{c:34}"),
    ("huggingface-org", "api_org_{c:34}"),
    ("groq", "gsk_{a:52}"),
    ("xai", "xai-{a:80}"),
    ("perplexity", "pplx-{a:48}"),
    ("replicate", "r8_{a:37}"),
    ("openrouter", f"{SK}or-v1-{{x:64}}"),
    ("nvidia", "nvapi-{w:60-70}"),
    ("langsmith-personal", "lsv2_pt_{x:32}_{x:10}"),
    ("langsmith-service", "lsv2_sk_{x:32}_{x:10}"),
    ("langfuse", f"{SK}lf-{{uuid}}"),
    ("pinecone", "pcsk_{a:4-8}_{a:50-70}"),
    ("tavily", "tvly-{a:32}"),
    ("tavily-dev", "tvly-dev-{a:32}"),
    ("elevenlabs", "sk_{x:48}"),
    ("deepseek", f"{SK}{{x:32}}"),
    ("cerebras", "csk-{a:48}"),
)
NAMED: Final = (
    ("cohere", "{a:40}", "COHERE_API_KEY"),
    ("cohere-co", "{a:40}", "CO_API_KEY"),
    ("mistral", "{a:32}", "MISTRAL_API_KEY"),
    ("together", "{x:64}", "TOGETHER_API_KEY"),
    ("fireworks", "fw_{a:24}", "FIREWORKS_API_KEY"),
    ("stability", f"{SK}{{a:48}}", "STABILITY_API_KEY"),
    ("voyage", "pa-{w:43}", "VOYAGE_API_KEY"),
    ("deepgram", "{x:40}", "DEEPGRAM_API_KEY"),
    ("weights-biases", "{x:40}", "WANDB_API_KEY"),
    ("assemblyai", "{x:32}", "ASSEMBLYAI_API_KEY"),
    ("jina", "jina_{x:32}{a:28}", "JINA_API_KEY"),
    ("firecrawl", "fc-{x:32}", "FIRECRAWL_API_KEY"),
    ("runpod", "rpa_{U:44}", "RUNPOD_API_KEY"),
    ("exa", "{uuid}", "EXA_API_KEY"),
    ("azure-openai-old", "{x:32}", "AZURE_OPENAI_API_KEY"),
    ("qdrant", "{w:54}", "QDRANT_API_KEY"),
    ("unstructured", "{a:30}", "UNSTRUCTURED_API_KEY"),
)

ALL: Final[tuple[Kind, ...]] = (
    *bare(OPENAI),
    *bare([("openai-ephemeral", "ek_{x:32}")], want="report"),
    *bare(OTHERS),
    *assigned(NAMED),
)
