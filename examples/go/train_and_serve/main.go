// Trains by a schedule of its own, then serves from goroutines.
//
//	go run ./train_and_serve
//
// The catalog and its visits are made up: who looks at an item of a shelf looks next at the one to
// its right.
package main

import (
	"fmt"
	"log"
	"strings"
	"sync"

	"alterrec/alterrec"
)

const (
	shelves = 12
	places  = 10
	items   = shelves * places
)

func makeVisits(catalog *alterrec.Catalog, count, start int) (*alterrec.Sessions, error) {
	visits := make([][]int32, count)
	for s := range visits {
		item := int32((start + s*7) % items)
		for t := 0; t < 4; t++ {
			visits[s] = append(visits[s], item)
			item = item/places*places + (item+1)%places
		}
	}
	return alterrec.NewSessions(catalog, visits)
}

func train() (*alterrec.Recommender, error) {
	config, err := alterrec.ParseConfig(`
model: {dim: 32, blocks: 1, dropout: 0}
train: {epochs: 8, batch_size: 64, valid_k: 1}
optimizer: {learning_rate: 0.01, decay: none}
compute: {threads: 1}
`)
	if err != nil {
		return nil, err
	}
	var keys, texts []string
	for i := 0; i < items; i++ {
		keys = append(keys, fmt.Sprint("item", i))
		texts = append(texts, fmt.Sprintf("shelf%d place%d", i/places, i%places))
	}
	catalog, err := alterrec.NewCatalog(items, keys, texts)
	if err != nil {
		return nil, err
	}
	if err := catalog.HashFeatures(config); err != nil {
		return nil, err
	}
	visits, err := makeVisits(catalog, 600, 0)
	if err != nil {
		return nil, err
	}
	laterVisits, err := makeVisits(catalog, 100, 3)
	if err != nil {
		return nil, err
	}
	model, err := alterrec.NewModel(catalog, config)
	if err != nil {
		return nil, err
	}
	trainer, err := alterrec.NewTrainer(model, visits, laterVisits, nil)
	if err != nil {
		return nil, err
	}
	defer trainer.Close() // and its callbacks

	// The tower that is behind has its turn, against all other items.
	err = trainer.OnSchedule(func(plan *alterrec.Plan, last *alterrec.EpochReport) error {
		plan.Tower = alterrec.ID
		if last != nil && last.ValidMetric[alterrec.Text] < last.ValidMetric[alterrec.ID] {
			plan.Tower = alterrec.Text
		}
		plan.Negatives = alterrec.NegativesFull
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = trainer.OnProgress(func(progress *alterrec.Progress) error {
		if report := progress.Report; report != nil {
			tower := map[int32]string{alterrec.ID: "ID", alterrec.Text: "text"}[report.Tower]
			fmt.Printf("epoch %2d  %-4s  loss %5.2f  Hits@1: ID %.2f, text %.2f\n", report.Epoch+1,
				tower, report.Loss, report.ValidMetric[alterrec.ID],
				report.ValidMetric[alterrec.Text])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := trainer.Run(); err != nil {
		return nil, err
	}
	return alterrec.NewRecommender(model, nil)
}

func serve(recommender *alterrec.Recommender, worker int32) (string, error) {
	batch, err := alterrec.NewBatch() // each goroutine has its own
	if err != nil {
		return "", err
	}
	defer batch.Close()
	if err := batch.Add([]int32{worker*20 + 3, worker*20 + 4}); err != nil {
		return "", err
	}
	if err := batch.ExcludeOwn(true); err != nil {
		return "", err
	}
	best, err := recommender.TopK(batch, 3, nil)
	if err != nil {
		return "", err
	}
	var keys []string
	for _, item := range best.List(0) {
		keys = append(keys, recommender.Catalog().Key(item))
	}
	return fmt.Sprintf("after item%d, item%d:  %s", worker*20+3, worker*20+4,
		strings.Join(keys, "  ")), nil
}

func main() {
	// All that serving needs; the handles of the training are gone.
	recommender, err := train()
	if err != nil {
		log.Fatal(err)
	}
	defer recommender.Close()
	var lines [4]string
	var wait sync.WaitGroup
	for worker := range lines {
		wait.Add(1)
		go func(worker int) {
			defer wait.Done()
			line, err := serve(recommender, int32(worker))
			if err != nil {
				line = err.Error()
			}
			lines[worker] = line
		}(worker)
	}
	wait.Wait()
	for _, line := range lines {
		fmt.Println(line)
	}
}
