function res = analysis_ref_batched_images(path, ratio, full_res, const)
    % A stand-in for the script of the MATLAB test package: it computes nothing, returns what it was given and known
    % numbers, and behaves as the original does: it warns, prints, and works in a sub-folder of its own.
    mode = getenv('STANDIN');
    if strcmp(mode, 'error')
        error("the stand-in stops\nas it was told");
    elseif strcmp(mode, 'crash')
        fprintf('the stand-in leaves\n');
        exit(3);
    end
    data = load(path);
    addpath('./inside')
    warning('the stand-in warns');
    fprintf('sample 1 - sam: %f\n', 1);
    cd inside
    third = known_third();
    cd ..

    res = {};
    res.sam = [ratio, const];
    res.ergas = [size(data.gt, 1), size(data.gt, 2)];
    res.scc = [size(data.sr, 3), size(data.sr, 4)];
    res.qn = [full_res, third];
    res.qave = single([0.1, 0.2]);
    res.psnr = [Inf, NaN];
    res.ssim = [data.gt(1, 1, 1, 2), data.sr(1, 2, 1, 1)];
    if strcmp(mode, 'fields')
        res = rmfield(res, 'qn');
    end
end
