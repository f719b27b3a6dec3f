function res = analysis_unref_batched_images(path, ratio, sensor)
    % A stand-in for the script without a reference: it returns what it was given and known numbers, needs a function of
    % another folder while it is in a sub-folder, and functions that Octave lacks or has in another sense.
    if strcmp(getenv('STANDIN'), 'error')
        error("the stand-in stops\nas it was told");
    end
    data = load(path);
    addpath('./Tools')
    cd inside
    fifth = known_fifth();
    cd ..

    both = cov([1; 2; 4], [1; 3; 3]);
    places = blockproc(magic(4), [2 2], @(block) block.location(1) + 10 * block.location(2));
    filter = fwind1(ones(3), kaiser(3));
    res.d_lambda = [ratio, strcmp(sensor, 'WV3') + 2 * strcmp(sensor, 'none')];
    res.d_s = [data.lms(1, 2, 1, 1), data.pan(1, 1, 1, 2)];
    res.qnr_index = [fifth + both(1, 2), sum(places(:)) + filter(2, 2)];
end
