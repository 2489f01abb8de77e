// The judge answers, by upstream's own code, what Kubernetes Pod Security says of pods and of whole admission reviews:
// one JSON object a line comes in, one goes out for each, in the same order, judged on all cores.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"k8s.io/klog/v2"
)

// question is one line of input; op says which of the fields are meant.
type question struct {
	Op string `json:"op"`

	// op "pod": what every policy ("restricted:v1.30") says of one pod.
	Metadata json.RawMessage `json:"metadata,omitempty"`
	Spec     json.RawMessage `json:"spec,omitempty"`
	Policies []string        `json:"policies"`

	// op "review": what the webhook answers, under a configuration, in a cluster of namespaces and pods.
	Config     json.RawMessage   `json:"config"`
	Namespaces []json.RawMessage `json:"namespaces"`
	Pods       []json.RawMessage `json:"pods"`
	Review     json.RawMessage   `json:"review"`
}

// failed is the answer where upstream gives none.
type failed struct {
	Error string `json:"error"`
}

func main() {
	// Upstream logs what it refuses; here that is in the answer.
	klog.SetLogger(klog.Logger{})
	if err := judgeLines(os.Stdin, os.Stdout, runtime.NumCPU()); err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(1)
	}
}

// judgeLines keeps the order by queueing, for every line, the channel on which its answer will come.
func judgeLines(in io.Reader, out io.Writer, workers int) error {
	type job struct {
		line   []byte
		answer chan []byte
	}
	jobs := make(chan job, 64*workers)
	queue := make(chan chan []byte, 64*workers)
	for range workers {
		judge, err := newJudge()
		if err != nil {
			return err
		}
		go func() {
			for j := range jobs {
				j.answer <- judge.line(j.line)
			}
		}()
	}

	read := make(chan error, 1)
	go func() {
		lines := bufio.NewReaderSize(in, 1<<20)
		for {
			line, err := lines.ReadBytes('\n')
			if len(bytes.TrimSpace(line)) > 0 {
				j := job{line, make(chan []byte, 1)}
				queue <- j.answer
				jobs <- j
			}
			if err != nil {
				close(jobs)
				close(queue)
				if errors.Is(err, io.EOF) {
					err = nil
				}
				read <- err
				return
			}
		}
	}()

	writer := bufio.NewWriterSize(out, 1<<20)
	for answer := range queue {
		writer.Write(<-answer)
		writer.WriteByte('\n')
		// Whoever asks may wait for this answer before asking again.
		if len(queue) == 0 {
			writer.Flush()
		}
	}
	return errors.Join(<-read, writer.Flush())
}

// line never fails: what upstream cannot judge is an answer too.
func (j *judge) line(line []byte) []byte {
	var q question
	var answer any
	if err := json.Unmarshal(line, &q); err != nil {
		answer = failed{"the line is no question: " + err.Error()}
	} else {
		switch q.Op {
		case "plan":
			answer = j.plan(q)
		case "pod":
			answer = j.pod(q)
		case "review":
			answer = j.review(q)
		default:
			answer = failed{fmt.Sprintf("unknown op %q: use plan, pod or review", q.Op)}
		}
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(answer); err != nil {
		return fmt.Appendf(nil, `{"error":%q}`, err.Error())
	}
	return bytes.TrimRight(out.Bytes(), "\n")
}
