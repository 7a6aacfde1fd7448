export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** The hidden command that the scripts ask: one candidate a line, with a tab before its description. */
export const COMPLETE_COMMAND = '__complete';
/** What it answers where a path belongs, which shells complete better themselves. */
export const PATHS_ANSWER = ':paths';

// Each script calls the program as it was typed, so that it completes for the stack whose command line it is. The words of
// the command line are handed on as arguments, never evaluated.

const BASH = `# Completion of ./backfill for bash: eval "$(./backfill completion bash)"
_backfill() {
  local value cur="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    if [[ $value == '${PATHS_ANSWER}' ]]; then
      compopt -o default
      return
    fi
    COMPREPLY+=("$value")
  done < <("\${COMP_WORDS[0]/#\\~/$HOME}" ${COMPLETE_COMMAND} -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _backfill backfill
`;

const ZSH = `#compdef backfill
# Completion of ./backfill for zsh, after compinit: eval "$(./backfill completion zsh)"
_backfill() {
  local line
  local -a lines described
  lines=("\${(@f)$("\${words[1]/#\\~/$HOME}" ${COMPLETE_COMMAND} -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $lines[1] == '${PATHS_ANSWER}' ]]; then
    _files
    return
  fi
  for line in $lines; do
    [[ -n $line ]] || continue
    described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe backfill described
}
compdef _backfill backfill
`;

const FISH = `# Completion of ./backfill for fish: ./backfill completion fish | source
function __backfill_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program (string replace -r '^~' $HOME -- $words[1])
    set -l lines ($program ${COMPLETE_COMMAND} -- $words[2..-1] "$current" 2>/dev/null)
    if test "$lines[1]" = '${PATHS_ANSWER}'
        __fish_complete_path "$current"
    else
        string join \\n -- $lines
    end
end
complete -c backfill -f -a '(__backfill_complete)'
`;

/** What a shell reads to complete the command line. */
export const COMPLETION_SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
