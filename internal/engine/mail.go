package engine

// spikes are those of one step.
type spikes struct {
	step int64
	lane []int32
	f    []float32 // factors of their delivery
	fi   []float32 // to inhibitory conductances or currents
}

// mail is a ring of the spikes that are on their way, in the order of time. Every one is
// delivered after on steps.
type mail struct {
	ring        []spikes // a power of two, more than on
	on          int64
	sent, given int64 // counts of what entered the ring and was delivered
}

func (m *mail) at(i int64) *spikes { return &m.ring[i&int64(len(m.ring)-1)] }

// due is the step of the next delivery.
func (m *mail) due() int64 {
	if m.given == m.sent {
		return never
	}
	return m.at(m.given).step + m.on
}

// queue is a queue of lanes with the step at which each is due, the first due first; a
// lane is in it at most once, so its capacity is the number of lanes.
type queue struct {
	lane        []int32
	step        []int64
	first, size int
}

func newQueue(n int) queue { return queue{lane: make([]int32, n), step: make([]int64, n)} }

// push puts a lane behind those due earlier or at the same step: mostly the end.
func (q *queue) push(lane int32, step int64) {
	i := q.place(q.size)
	for n := q.size; n > 0; n-- {
		before := q.place(n - 1)
		if q.step[before] <= step {
			break
		}
		q.lane[i], q.step[i] = q.lane[before], q.step[before]
		i = before
	}
	q.lane[i], q.step[i] = lane, step
	q.size++
}

func (q *queue) place(n int) int {
	i := q.first + n
	if i >= len(q.lane) {
		i -= len(q.lane)
	}
	return i
}

// due is the step of the first in the queue.
func (q *queue) due() int64 {
	if q.size == 0 {
		return never
	}
	return q.step[q.first]
}

func (q *queue) pop() int32 {
	u := q.lane[q.first]
	if q.first++; q.first == len(q.lane) {
		q.first = 0
	}
	q.size--
	return u
}

// list is the queue in order.
func (q *queue) list() (lane []int32, step []int64) {
	for i := range q.size {
		lane, step = append(lane, q.lane[q.place(i)]), append(step, q.step[q.place(i)])
	}
	return lane, step
}

// set is the inverse of list.
func (q *queue) set(lane []int32, step []int64) {
	q.empty()
	for i := range lane {
		q.push(lane[i], step[i])
	}
}

func (q *queue) empty() { q.first, q.size = 0, 0 }

func newSpikes(n int) spikes {
	return spikes{lane: make([]int32, 0, n), f: make([]float32, 0, n), fi: make([]float32, 0, n)}
}
