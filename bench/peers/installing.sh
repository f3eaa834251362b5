# What the install scripts of the peers have in common; sourced by them from the root of the repository.
PYTHON=${PYTHON:-python3}
# The project's installer (`make setup`) fills the peers' environments; the project's own environment stays as it is.
UV=${UV:-.venv/bin/uv}
shopt -s nullglob

asked() { cat "bench/peers/$1"/requirements.txt "bench/peers/$1"/package*.json | sha256sum; }

installed() { [ "$(cat ".weft-bench/peers/$1/.installed" 2>/dev/null)" = "$(asked "$1")" ]; }

python_packages() {
  echo "installing the Python packages of $1"
  rm -rf ".weft-bench/peers/$1"
  "$PYTHON" -m venv --without-pip ".weft-bench/peers/$1/venv"
  "$UV" pip install --quiet --no-deps --only-binary :all: --python ".weft-bench/peers/$1/venv/bin/python" -r "bench/peers/$1/requirements.txt"
}

# Scripts of packages are not run: the server is a program inside a package.
node_packages() {
  command -v npm >/dev/null || { echo "$1 needs npm: install Node.js 20 or newer" >&2; exit 1; }
  echo "installing the npm packages of $1"
  mkdir -p ".weft-bench/peers/$1/node"
  cp "bench/peers/$1"/package.json ".weft-bench/peers/$1/node"
  npm --prefix ".weft-bench/peers/$1/node" install --silent --no-package-lock --no-audit --no-fund --ignore-scripts
}

# The program that npm brought for this machine, of a package that has one a platform.
native_program() {
  find "$PWD/.weft-bench/peers/$1/node/node_modules/$2" -path "*/bin/$3" -type f -size +1M | head -n 1
}

stamp() { asked "$1" >".weft-bench/peers/$1/.installed"; }
