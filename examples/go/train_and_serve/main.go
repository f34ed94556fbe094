// Trains by a schedule of its own, then serves visitors from goroutines.
//
//	go run ./train_and_serve
//
// The catalog and its visits are made up: who looks at an item of a shelf looks next at the one to
// its right.
package main

import (
	"errors"
	"fmt"
	"log"

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
train: {epochs: 6, batch_size: 64, valid_k: 1}
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

// follow is a visitor who goes three times to what is recommended, but never back.
func follow(visitor *alterrec.LiveSession) error {
	if err := visitor.ExcludeOwn(true); err != nil {
		return err
	}
	for step := 0; step < 3; step++ {
		best, err := visitor.TopK(1, nil)
		if err != nil {
			return err
		}
		if err := visitor.Push(best.Items[0]); err != nil {
			return err
		}
	}
	return nil
}

func serve(recommender *alterrec.Recommender) error {
	var visitors []*alterrec.LiveSession
	for v := 0; v < 4; v++ {
		visitor, err := alterrec.NewLiveSession(recommender)
		if err != nil {
			return err
		}
		defer visitor.Close()
		visitors = append(visitors, visitor)
	}
	// They come in together.
	if err := alterrec.PushMany(visitors, []int32{3, 23, 43, 63}, 0); err != nil {
		return err
	}

	errs := make(chan error, len(visitors))
	for _, visitor := range visitors {
		go func(visitor *alterrec.LiveSession) { errs <- follow(visitor) }(visitor)
	}
	var failed error
	for range visitors {
		failed = errors.Join(failed, <-errs)
	}
	if failed != nil {
		return failed
	}

	// Their next lists, in one search.
	next, err := alterrec.TopKMany(visitors, 1, nil)
	if err != nil {
		return err
	}
	for v, visitor := range visitors {
		for _, item := range visitor.Items() {
			fmt.Print(recommender.Catalog().Key(item), "  ")
		}
		fmt.Println("and then", recommender.Catalog().Key(next.Items[v]))
	}
	return nil
}

func main() {
	// All that serving needs; the handles of the training are gone.
	recommender, err := train()
	if err != nil {
		log.Fatal(err)
	}
	defer recommender.Close()
	if err := serve(recommender); err != nil {
		log.Fatal(err)
	}
}
