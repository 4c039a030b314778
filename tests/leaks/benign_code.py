"""Harmless code and what belongs to it: lock files, diffs, traces, settings without values."""

import base64
from random import Random
from typing import Final

from tests.leaks.draw import fill
from tests.leaks.harmless import Text, form, forms, lines, several

PYTHON: Final = (
    "import uuid\n\nNAMESPACE = uuid.UUID('{uuid}')\nTOKEN_LIMIT = {n:4}\n\n\n"
    "def token_count(text: str) -> int:\n    return len(text.split())\n\n\n"
    "class PasswordReset(View):\n    template_name = 'account/password_reset_{v:6}.html'\n"
    "    success_url = reverse_lazy('password_reset_done')\n"
    "    token_generator = default_token_generator\n",
    "def authenticate(username: str, password: str) -> User | None:\n"
    "    user = User.objects.get(name=username)\n"
    "    return user if user.check(password) else None\n"
    "\n\nSALT_BYTES = 16\nassert sha256(b'{v:6}').hexdigest() == (\n    '{x:64}'\n)\n",
    "api_key = os.environ['SHOP_API_KEY']\nsecret = os.getenv('SHOP_SECRET', '')\n"
    "client = Client(api_key=api_key, token=config.token)\npassword = getpass.getpass()\n"
    "access_token = response.json()['access_token']\nkey = derive_key(password, salt=b'{v:8}')\n",
)
SCRIPT: Final = (
    "const apiKey = process.env.SHOP_API_KEY;\nconst token = req.headers.authorization;\n"
    "if (!token) throw new Error('missing token {v:6}');\n"
    "export const selectToken = (state) => state.session.accessToken;\n",
    "interface Login {\n  username: string;\n  password: string;\n  apiKey?: string;\n"
    "  refreshToken: string | null;\n}\nconst id = '{uuid}';\n",
    "const schema = z.object({\n  password: z.string().min(12),\n  secret: z.string(),\n});\n"
    "import { useSecret{c:6} } from './{v:8}-secret-manager.js';\n",
)
OTHERS: Final = (
    "func (s *Server) Token(ctx context.Context) (string, error) {\n"
    '\tpassword := os.Getenv("SHOP_PASSWORD")\n\treturn s.issue(ctx, password, {n:3})\n}\n',
    'public class TokenService {\n  private static final String API_KEY_HEADER = "X-Api-Key";\n'
    "  private final PasswordEncoder passwordEncoder;\n"
    '  public String secretName() { return "{v:6}-{v:4}-secret"; }\n}\n',
    'let token: String = env::var("SHOP_TOKEN")?;\nlet key = SigningKey::generate(&mut rng);\n'
    "const NONCE: [u8; 8] = [{n:2}, {n:2}, {n:2}, {n:2}, {n:2}, {n:2}, {n:2}, {n:2}];\n",
    "<?php\n$password = $_POST['password'];\n$apiKey = getenv('SHOP_API_KEY');\n"
    "$this->tokenStorage->setToken($this->{v:8}Token);\n",
    "password = ENV.fetch('SHOP_PASSWORD')\ntoken = SecureRandom.hex({n:2})\n"
    "secret_key_base = Rails.application.credentials.secret_key_base\n",
)
LOCKS: Final = {
    "package-lock": '    "node_modules/{v:7}": {\n      "version": "{n:1}.{n:1}.{n:2}",\n'
    '      "resolved": "https://packages.example/{v:7}/-/{v:7}-{n:1}.0.{n:1}.tgz",\n'
    '      "integrity": "sha512-{b:86}=="\n    },',
    "yarn.lock": '"{v:8}@^{n:1}.{n:1}.0":\n  version "{n:1}.{n:1}.{n:1}"\n'
    '  resolved "https://packages.example/{v:8}/-/{v:8}-{n:1}.2.1.tgz#{x:40}"\n'
    "  integrity sha512-{b:86}==\n",
    "poetry.lock": '[[package]]\nname = "{v:9}"\nversion = "{n:1}.{n:2}.0"\nfiles = [\n'
    '    {file = "{v:9}-{n:1}.0-py3-none-any.whl", hash = "sha256:{x:64}"},\n]\n',
    "requirements with hashes": "{v:8}=={n:1}.{n:1}.{n:1} \\\n    --hash=sha256:{x:64} \\\n"
    "    --hash=sha256:{x:64}",
    "go.sum": "github.com/{v:6}/{v:8} v{n:1}.{n:1}.{n:1} h1:{b:43}=\n"
    "github.com/{v:6}/{v:8} v{n:1}.{n:1}.{n:1}/go.mod h1:{b:43}=",
    "Cargo.lock": '[[package]]\nname = "{v:6}"\nversion = "0.{n:1}.{n:1}"\n'
    'source = "registry+https://packages.example/index"\nchecksum = "{x:64}"\n',
}
DIFF: Final = (
    "diff --git a/src/{v:6}.py b/src/{v:6}.py\nindex {x:10}..{x:10} 100644\n"
    "--- a/src/{v:6}.py\n+++ b/src/{v:6}.py\n@@ -{n:2},7 +{n:2},9 @@ def {v:5}():\n"
    "     rows = load()\n-    token = next(rows)\n+    token = next(rows, None)\n"
    "+    password_field = form['{v:6}']\n     return rows\n"
)
COMMITS: Final = (
    "commit {x:40}\nMerge: {x:9} {x:9}\nAuthor: Kari <kari@shop.lan>\n\n"
    "    Rotate the secret of {v:6}, drop the old token\n\n    Change-Id: I{x:40}\n"
)
TRACE: Final = (
    "Traceback (most recent call last):\n"
    '  File "/srv/shop/{v:6}/views.py", line {n:3}, in dispatch\n    token = self.tokens[{n:2}]\n'
    '  File "/usr/lib/python3.13/functools.py", line {n:3}, in wrapper\n'
    "KeyError: 'access_token'\nrequest_id={uuid} at 0x7f{x:10}\n"
)
JAVA_TRACE: Final = (
    "org.shop.auth.InvalidTokenException: token for {v:6} has expired\n"
    "\tat org.shop.auth.TokenFilter$$EnhancerBySpringCGLIB$${x:8}.doFilter(Filter.java:{n:2})\n"
    "\tat org.shop.Secrets$Password.check(Secrets.java:{n:3}) ~[shop-{n:1}.{n:1}.jar!/:{n:1}]\n"
    "\tat java.base/java.lang.Thread.run(Thread.java:{n:3})\n"
)
KUBERNETES: Final = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {v:6}\n  uid: {uuid}\nspec:\n"
    "  containers:\n  - image: registry.shop.lan/{v:5}@sha256:{x:64}\n    env:\n"
    "    - name: DB_PASSWORD\n      valueFrom:\n        secretKeyRef:\n          name: {v:6}-db\n"
    "          key: password\n    - name: API_TOKEN\n      valueFrom:\n        secretKeyRef:\n"
    "          name: {v:6}-token\n          key: token\n"
    "  imagePullSecrets:\n  - name: regcred-{v:5}\n"
)
CI: Final = (
    "jobs:\n  deploy-{v:5}:\n    runs-on: ubuntu-24.04\n    steps:\n"
    "      - uses: actions/checkout@{x:40}\n      - run: make deploy\n        env:\n"
    "          API_KEY: ${{ secrets.{U:6}_API_KEY }}\n"
    "          NPM_TOKEN: ${{ secrets.NPM_TOKEN }}\n"
    "          GITHUB_TOKEN: ${{ github.token }}\n          PASSWORD: $CI_PASSWORD_{U:4}\n"
)
COMPOSE: Final = (
    "services:\n  {v:6}:\n    image: postgres:17\n    environment:\n"
    "      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it}\n"
    "      DATABASE_URL: postgresql://shop:${DB_PASSWORD}@db:5432/shop\n"
    "      SECRET_KEY_FILE: /run/secrets/{v:6}_key\n    secrets: [{v:6}_key]\n"
)
TERRAFORM: Final = (
    'variable "{v:6}_password" {\n  type      = string\n  sensitive = true\n}\n'
    'resource "aws_db_instance" "{v:6}" {\n  password = var.{v:6}_password\n'
    "  kms_key_id = aws_kms_key.{v:6}.arn\n"
    '  api_token = data.vault_generic_secret.{v:6}.data["t"]\n}\n'
    'provider "x" {\n  token = local.token_{v:4}\n  secret_key = module.{v:5}.secret_key\n}\n'
)
ENV: Final = (
    "# copy to .env\nAPI_KEY=your-api-key-here\nOPENAI_API_KEY=sk-your-key\nDB_PASSWORD=changeme\n"
    "SECRET_KEY=<generate one>\nTOKEN=\nSESSION_SECRET=replace-me-with-a-long-string\n"
    "STRIPE_KEY=sk_test_xxxxxxxxxxxxxxxxxxxxxxxx\nGITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"
    "AWS_SECRET_ACCESS_KEY=XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX\nPORT={n:4}\nNAME={v:8}\n"
)
SETTINGS: Final = (
    "max_tokens: {n:4}\ntoken_count: {n:6}\npassword_min_length: {n:2}\nsecret_name: shop-{v:6}\n"
    "api_key_header: X-Api-Key\ntoken_url: https://login.shop.lan/oauth/token\n"
    "key_path: /etc/ssl/private/{v:6}.key\npublic_key_type: ed25519\nprimary_key: order_{v:5}_id\n"
    "partition_key: region-{v:4}-{n:2}\nforeign_key: customers.id\nkeyboard: qwerty\n"
    "tokenizer: cl100k_base\npassword_policy: at-least-12-characters\ncache_key: products-v{n:2}\n"
)
SQL: Final = (
    "INSERT INTO users (id, name, password_hash, token_expires) VALUES\n"
    "('{uuid}', '{v:6}', '\\x{x:64}', '2026-0{n:1}-11'),\n"
    "('{uuid}', '{v:6}', '\\x{x:64}', NULL);\nALTER TABLE sessions ADD COLUMN secret_hash bytea;\n"
    "CREATE INDEX token_{v:5} ON tokens (token_id);\nGRANT SELECT ON passwords TO {v:6};\n"
)
CSS: Final = (
    ".{v:4}{color:#{x:6};background:url(data:image/svg+xml;utf8,%3Csvg%20xmlns%3D)}"
    "@media(max-width:{n:3}px){#{v:5}-token{margin:0 {n:1}px}}.key_{l:6}:hover{color:#{x:3}}"
)
MINIFIED: Final = (
    '!function(e,t){var n={n:3},r="{l:7}";e.token=function(e){return t[e]||r+"{l:5}"};'
    'function {v:1}{n:1}(a,b){return a.password=b?"":a.secret,n^{n:6}}}(window,{{n:4}:"{l:5}"});'
)
TYPES_ONLY: Final = (
    "class Account(models.Model):\n    password = models.CharField(max_length=255)\n"
    "    api_token = models.UUIDField(default=uuid4)\n    secret = EncryptedTextField(null=True)\n"
    "    {v:6}_key = models.ForeignKey('keys.Key', on_delete=models.CASCADE)\n",
    "message Login {\n  string user = 1;\n  string password = 2;\n  bytes secret_{v:4} = 3;\n"
    "  string access_token = 4;  // {v:6}\n}\n",
    'type Query {\n  token(id: ID!): Token\n  apiKey(name: String = "{v:5}"): ApiKey!\n'
    "  resetPassword(password: String!): Boolean\n}\n",
)


def source_map(chance: Random) -> str:
    """The mappings of a source map: base 64 too, with commas and semicolons."""
    words = (fill("{c:4-5}", chance) for _ in range(400))
    rows = ";".join(",".join(w for w in words) for _ in range(1))
    return f'{{"version":3,"file":"{fill("{v:5}", chance)}.js","mappings":"{rows}"}}'


def wasm(chance: Random) -> str:
    """A module in base64 within a script."""
    raw = b"\0asm\x01\0\0\0" + chance.randbytes(chance.randint(500, 4000))
    return f'const bytes = Uint8Array.from(atob("{base64.b64encode(raw).decode()}"), f);\n'


CODE: Final[dict[str, Text]] = {
    "Python": forms(PYTHON),
    "JavaScript and TypeScript": forms(SCRIPT),
    "Go, Java, Rust, PHP, Ruby": forms(OTHERS),
    **{name: lines(text, 8, 60) for name, text in LOCKS.items()},
    "git diff": lines(DIFF, 1, 6),
    "git log": lines(COMMITS, 2, 12),
    "Python trace": form(TRACE),
    "Java trace": form(JAVA_TRACE),
    "Kubernetes manifest": form(KUBERNETES),
    "CI settings": form(CI),
    "compose file": form(COMPOSE),
    "Terraform": form(TERRAFORM),
    "env template": form(ENV),
    "settings": form(SETTINGS),
    "SQL dump": lines(SQL, 1, 20),
    "style sheet": several(CSS, 10, 80),
    "minified script": several(MINIFIED, 5, 60),
    "types and models": forms(TYPES_ONLY),
    "source map": source_map,
    "WebAssembly": wasm,
}
