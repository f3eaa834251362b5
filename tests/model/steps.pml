/* What the commands are made of. */

#define of(n, p) ((n) * PARTS + (p))
#define at_row(p, index) ((p) * ROWS + (index))
#define bit(index) (1 << (index))
/* Up to where the broker has confirmed everything without a gap, as the owner's memory has it. */
#define confirmed(n, p) \
    ((BUG == PUBLISHED_BEFORE_CONFIRM || !open[of(n, p)]) -> seq[of(n, p)] : \
     ((open[of(n, p)] & 1) -> 0 : ((open[of(n, p)] & 2) -> 1 : ((open[of(n, p)] & 4) -> 2 : ((open[of(n, p)] & 8) -> 3 : 4)))))
#define picture(n, p) (seq[of(n, p)] -> row[at_row(p, seq[of(n, p)] - 1)] : NOTHING)
#define holds(n) (item[of(n, 0)] != NONE || item[of(n, 1)] != NONE)

/* What an item does to a state. */
#define start_of(p) (p == 0 -> START : ONCE)
#define awaited(state, what) \
    ((state == START && what == A1) || (state == RETRY && what == A2) || \
     (BUG == NO_ATTEMPT_GUARD && (state == START || state == RETRY)))
#define decision(p, state, what) \
    ((what == S0 || what == S1) -> ((state == NOTHING || BUG == NO_STATUS_GUARD) -> start_of(p) : NOTHING) : \
     (what == TICK -> RETRY : (awaited(state, what) -> DONE : NOTHING)))

/* A row's message reaches the broker: a request goes to the workers, the end of an execution to the hearer, who acts at once. */
inline say(n, p, index, kind) {
    j = index;
    if
    :: BUG == FRESH_IDS -> j = j + n
    :: else -> skip
    fi;
    must(ONE_ID, said[at_row(p, index)] == 0 || said[at_row(p, index)] == j + 1);
    said[at_row(p, index)] = j + 1;
    must(PHANTOM, index < length[p] && row[at_row(p, index)] == kind);
    if
    :: kind == START -> requests[1]++
    :: kind == RETRY -> requests[2]++
    :: else ->
        if
        :: BUG != NO_DEDUPE && (heard[p] & bit(j)) -> skip
        :: else ->
            heard[p] = heard[p] | bit(j);
            effects[p]++;
            must(ONE_EFFECT, effects[p] < 2)
        fi
    fi
}

/* Insert a row. `their_seq`: what the writer believes to be the newest. */
inline write(p, kind, what, their_seq) {
    must(ORDER, their_seq == length[p]);
    must(FORMER, kind != DONE || (length[p] > 0 && row[at_row(p, length[p] - 1)] == (what == A1 -> START : RETRY)));
    j = 0;
    do
    :: j < length[p] -> must(APPLIED, row[at_row(p, j)] != kind); j++
    :: else -> break
    od;
    if
    :: length[p] < ROWS -> row[at_row(p, length[p])] = kind; length[p]++
    :: else -> skip
    fi
}

/* The items of a batch that the broker still counts as unacked go back to its queue. */
inline requeue(n) {
    if
    :: !disconnected[n] && !(BUG == ACK_BEFORE_COMMIT) ->
        i = 0;
        do
        :: i < PARTS ->
            if
            :: item[of(n, i)] < KINDS -> ready[item[of(n, i)]]++
            :: else -> skip
            fi;
            i++
        :: else -> break
        od
    :: else -> skip
    fi
}

inline put_down(n) {
    i = 0;
    do
    :: i < PARTS -> item[of(n, i)] = NONE; decided[of(n, i)] = NOTHING; early[of(n, i)] = false; i++
    :: else -> break
    od;
    disconnected[n] = false
}

inline stop_serving(n, p) {
    serves[of(n, p)] = false;
    newest[of(n, p)] = false;
    seq[of(n, p)] = 0;
    open[of(n, p)] = 0
}

/* The partition's epoch rises: nobody holds the newest any more, and a commit in flight under the last one can write nothing. */
inline raise(p) {
    i = 0;
    do
    :: i < NODES ->
        newest[of(i, p)] = false;
        if
        :: BUG != NO_EPOCH_CHECK && in_flight[i] && flight_item[of(i, p)] != NONE -> land(i)
        :: else -> skip
        fi;
        i++
    :: else -> break
    od;
    i = 0
}

inline land(n) {
    j = 0;
    do
    :: j < PARTS ->
        flight_seq[of(n, j)] = 0; flight_row[of(n, j)] = NOTHING; flight_item[of(n, j)] = NONE; j++
    :: else -> break
    od;
    in_flight[n] = false
}
